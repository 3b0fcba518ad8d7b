/** What the dashboard shows: the expressions of its panels, in the language of Prometheus. */

export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly kind?: 'timeseries' | 'stat' | 'table' | 'heatmap' | 'state-timeline';
  /** As Grafana calls it. */
  readonly unit?: string;
  readonly queries: readonly Query[];
  readonly stacked?: boolean;
  /** From this value on in this colour. */
  readonly limits?: readonly (readonly [number, string])[];
  /** Words for values. */
  readonly names?: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
  readonly width?: number;
  readonly height?: number;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const here = 'instance=~"$instance"';

const series = (expr: string, legend: string): Query => ({ expr, legend });

/** How many a second, by these labels. */
const rate = (metric: string, by: string, more = ''): string =>
  `sum by (${by}) (rate(${metric}{${here}${more}}[$__rate_interval]))`;

const perSecond = (metric: string, by: string, legend = `{{${by}}}`, more = ''): Query =>
  series(rate(metric, by, more), legend);

const sum = (metric: string, by: string, legend = `{{${by}}}`): Query =>
  series(`sum by (${by}) (${metric}{${here}})`, legend);

/** So much of the time is below that. */
const quantile = (share: number, metric: string, by: string): Query =>
  series(
    `histogram_quantile(${share}, sum by (le, ${by}) (rate(${metric}_bucket{${here}}[$__rate_interval])))`,
    `{{${by}}} p${share * 100}`,
  );

const quantiles = (metric: string, by: string): readonly Query[] =>
  [0.5, 0.95, 0.99].map((share) => quantile(share, metric, by));

const share = (part: string, whole: string, legend: string): Query => series(`${part} / (${whole} > 0)`, legend);

export const rows: readonly Row[] = [
  {
    title: 'Overview',
    panels: [
      {
        title: 'What runs',
        kind: 'table',
        width: 12,
        height: 5,
        queries: [series(`dowel_info{${here}}`, '')],
      },
      {
        title: 'Messages a second',
        kind: 'stat',
        unit: 'ops',
        width: 3,
        height: 5,
        queries: [series(`sum(rate(dowel_messages_total{${here}}[$__rate_interval]))`, '')],
      },
      {
        title: 'Failed',
        kind: 'stat',
        unit: 'percentunit',
        width: 3,
        height: 5,
        limits: [
          [0.001, 'orange'],
          [0.01, 'red'],
        ],
        queries: [
          share(
            `sum(rate(dowel_messages_total{${here},outcome="failed"}[$__rate_interval]))`,
            `sum(rate(dowel_messages_total{${here}}[$__rate_interval]))`,
            '',
          ),
        ],
      },
      {
        title: 'Dead letters, last day',
        kind: 'stat',
        width: 3,
        height: 5,
        limits: [[1, 'red']],
        queries: [series(`sum(increase(dowel_dead_letters_total{${here}}[1d]))`, '')],
      },
      {
        title: 'Not connected',
        kind: 'state-timeline',
        names: { 0: { text: 'connected', color: 'green' }, 1: { text: 'not connected', color: 'red' } },
        queries: [
          series(`max by (instance, flow) (dowel_source_disconnected{${here}})`, '{{instance}} {{flow}}'),
          series(`max by (instance, endpoint) (dowel_endpoint_disconnected{${here}})`, '{{instance}} {{endpoint}}'),
        ],
      },
      {
        title: 'Paused sources',
        kind: 'stat',
        width: 3,
        height: 5,
        limits: [[1, 'orange']],
        queries: [series(`sum(dowel_source_paused{${here}})`, '')],
      },
    ],
  },
  {
    title: 'Traffic',
    panels: [
      { title: 'Messages by flow', unit: 'ops', queries: [perSecond('dowel_messages_total', 'flow')] },
      {
        title: 'HTTP requests by route',
        unit: 'reqps',
        queries: [
          perSecond(
            'http_server_request_duration_seconds_count',
            'http_request_method, http_route',
            '{{http_request_method}} {{http_route}}',
          ),
        ],
      },
      { title: 'Under way, by flow', queries: [sum('dowel_messages_in_flight', 'flow')] },
      {
        title: 'Sent for each message received',
        description: 'Calls that went out, retries included, for each message. Retries and loops show here first.',
        queries: [
          series(
            `sum(rate(dowel_call_attempts_total{${here}}[$__rate_interval])) / (sum(rate(dowel_messages_total{${here}}[$__rate_interval])) > 0)`,
            'sent / received',
          ),
        ],
      },
    ],
  },
  {
    title: 'Errors',
    panels: [
      {
        title: 'Messages by outcome',
        unit: 'ops',
        stacked: true,
        queries: [perSecond('dowel_messages_total', 'outcome')],
      },
      {
        title: 'Failed and rejected, by code',
        unit: 'ops',
        queries: [
          perSecond(
            'dowel_messages_total',
            'flow, code',
            '{{flow}}: {{code}}',
            ',outcome=~"failed|rejected|cancelled"',
          ),
        ],
      },
      {
        title: 'HTTP answers by status',
        unit: 'reqps',
        stacked: true,
        queries: [perSecond('http_server_request_duration_seconds_count', 'http_response_status_code')],
      },
      {
        title: 'Callers that were not let in, by reason',
        unit: 'reqps',
        queries: [perSecond('dowel_http_refused_total', 'flow, reason', '{{flow}}: {{reason}}')],
      },
      {
        title: 'Broken contracts',
        unit: 'ops',
        queries: [
          perSecond('dowel_contract_requests_refused_total', 'flow', '{{flow}}: requests'),
          perSecond('dowel_contract_replies_broken_total', 'flow', '{{flow}}: answers'),
          perSecond('dowel_contract_answers_broken_total', 'endpoint', '{{endpoint}}: answers of the service'),
        ],
      },
    ],
  },
  {
    title: 'Latency',
    panels: [
      { title: 'Messages', unit: 's', queries: quantiles('dowel_message_duration_seconds', 'flow') },
      {
        title: 'HTTP requests, by route',
        unit: 's',
        queries: quantiles('http_server_request_duration_seconds', 'http_route'),
      },
      { title: 'Calls, by endpoint', unit: 's', queries: quantiles('dowel_call_duration_seconds', 'endpoint') },
      {
        title: 'All messages',
        kind: 'heatmap',
        unit: 's',
        width: 24,
        queries: [
          series(`sum by (le) (increase(dowel_message_duration_seconds_bucket{${here}}[$__rate_interval]))`, '{{le}}'),
        ],
      },
    ],
  },
  {
    title: 'Calls',
    panels: [
      {
        title: 'Calls by outcome',
        unit: 'ops',
        queries: [perSecond('dowel_calls_total', 'endpoint, outcome', '{{endpoint}} {{outcome}}')],
      },
      {
        title: 'Failures by code',
        unit: 'ops',
        queries: [
          perSecond('dowel_calls_total', 'endpoint, code', '{{endpoint}}: {{code}}', ',outcome=~"failed|rejected"'),
        ],
      },
      { title: 'Under way, by endpoint', queries: [sum('dowel_calls_in_flight', 'endpoint')] },
      {
        title: 'Attempts and retries',
        unit: 'ops',
        queries: [
          perSecond('dowel_call_attempts_total', 'endpoint', '{{endpoint}} attempts'),
          perSecond('dowel_call_retries_total', 'endpoint', '{{endpoint}} retries'),
          perSecond('dowel_call_retries_refused_total', 'endpoint', '{{endpoint}} retries that the budget refused'),
        ],
      },
    ],
  },
  {
    title: 'Circuit breakers and bulkheads',
    panels: [
      {
        title: 'Breakers',
        kind: 'state-timeline',
        names: {
          0: { text: 'closed', color: 'green' },
          1: { text: 'half-open', color: 'orange' },
          2: { text: 'open', color: 'red' },
          3: { text: 'forced open', color: 'purple' },
          4: { text: 'disabled', color: 'blue' },
        },
        // The state is a label; its number here is only its colour.
        queries: [
          series(
            [
              ['closed', 0],
              ['half-open', 1],
              ['open', 2],
              ['forced-open', 3],
              ['disabled', 4],
            ]
              .map(
                ([state, number]) =>
                  `(0 * max by (endpoint) (dowel_circuit_breaker_state{${here},state="${state}"} > 0) + ${number})`,
              )
              .reverse()
              .join(' or '),
            '{{endpoint}}',
          ),
        ],
      },
      {
        title: 'Changes of breakers',
        queries: [
          series(
            `sum by (endpoint, state) (increase(dowel_circuit_breaker_changes_total{${here}}[$__rate_interval]))`,
            '{{endpoint}} {{state}}',
          ),
        ],
      },
      {
        title: 'Bulkheads: used',
        unit: 'percentunit',
        queries: [
          share(
            `sum by (endpoint) (dowel_bulkhead_running{${here}})`,
            `sum by (endpoint) (dowel_bulkhead_max{${here}})`,
            '{{endpoint}}',
          ),
        ],
      },
      { title: 'Bulkheads: in line', queries: [sum('dowel_bulkhead_waiting', 'endpoint')] },
    ],
  },
  {
    title: 'Queues and settlement',
    panels: [
      { title: 'Waiting in queues', queries: [sum('dowel_queue_messages', 'queue')] },
      {
        title: 'Into queues',
        unit: 'ops',
        queries: [
          perSecond('dowel_queue_accepted_total', 'queue', '{{queue}} accepted'),
          perSecond('dowel_queue_refused_total', 'queue', '{{queue}} refused'),
        ],
      },
      { title: 'Taken and not acknowledged', queries: [sum('dowel_messages_unsettled', 'flow')] },
      {
        title: 'Redelivered, held back, given back',
        unit: 'ops',
        queries: [
          perSecond('dowel_redeliveries_total', 'flow', '{{flow}} redelivered'),
          perSecond('dowel_messages_held_total', 'flow', '{{flow}} held back'),
          perSecond('dowel_messages_released_total', 'flow', '{{flow}} given back'),
        ],
      },
      {
        title: 'Dead letters',
        queries: [
          series(`sum by (flow) (increase(dowel_dead_letters_total{${here}}[$__rate_interval]))`, '{{flow}}'),
          series(
            `sum by (flow) (increase(dowel_dead_letter_failures_total{${here}}[$__rate_interval]))`,
            '{{flow}} could not be kept',
          ),
          sum('dowel_messages_held_up', 'flow', '{{flow}} held up'),
        ],
      },
      {
        title: 'Compensations',
        queries: [
          series(
            `sum by (flow, outcome) (increase(dowel_compensations_total{${here}}[$__rate_interval]))`,
            '{{flow}} {{outcome}}',
          ),
        ],
      },
      {
        title: 'Paused sources',
        kind: 'state-timeline',
        names: { 0: { text: 'open', color: 'green' }, 1: { text: 'paused', color: 'orange' } },
        queries: [series(`max by (instance, flow) (dowel_source_paused{${here}})`, '{{instance}} {{flow}}')],
      },
    ],
  },
  {
    title: 'Process',
    panels: [
      {
        title: 'Processor',
        unit: 'percentunit',
        queries: [perSecond('process_cpu_seconds_total', 'instance')],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        queries: [
          series(`process_resident_memory_bytes{${here}}`, '{{instance}}'),
          series(`nodejs_heap_size_used_bytes{${here}}`, '{{instance}} heap'),
        ],
      },
      {
        title: 'Delay of the event loop',
        unit: 's',
        queries: [
          series(`nodejs_eventloop_lag_mean_seconds{${here}}`, '{{instance}} mean'),
          series(`nodejs_eventloop_lag_p99_seconds{${here}}`, '{{instance}} p99'),
          series(`nodejs_eventloop_lag_max_seconds{${here}}`, '{{instance}} max'),
        ],
      },
      {
        title: 'Up for',
        unit: 's',
        queries: [series(`time() - process_start_time_seconds{${here}}`, '{{instance}}')],
      },
      {
        title: 'Spans',
        unit: 'ops',
        queries: [
          perSecond('dowel_spans_exported_total', 'instance', '{{instance}} exported'),
          perSecond('dowel_spans_dropped_total', 'instance, reason', '{{instance}} dropped: {{reason}}'),
          series(`dowel_spans_waiting{${here}}`, '{{instance}} waiting'),
        ],
      },
    ],
  },
];
