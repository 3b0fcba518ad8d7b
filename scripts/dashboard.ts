/** The dashboard for Grafana, as it is imported: what to show stands in `dashboard-rows.ts`. */
import { type Panel, type Query, rows } from './dashboard-rows.ts';

const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

/** Of 24 columns. */
const usualWidth = 8;
const usualHeight = 8;

export function dashboard(): unknown {
  return {
    __inputs: [],
    __requires: [
      { type: 'grafana', id: 'grafana', name: 'Grafana', version: '10.4.0' },
      { type: 'datasource', id: 'prometheus', name: 'Prometheus', version: '1.0.0' },
    ],
    uid: 'dowel',
    title: 'Dowel',
    description:
      'Integrations that run in Dowel: what comes in, what goes out, and what hangs. Generated: do not edit.',
    tags: ['dowel'],
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    schemaVersion: 39,
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: { list: variables() },
    annotations: { list: [restarts()] },
    panels: laidOut(),
  };
}

function variables(): readonly unknown[] {
  const many = { includeAll: true, multi: true, current: { text: 'All', value: '$__all' } };
  // Pods come and go: those of the time that is looked at.
  const asked = { type: 'query', datasource, refresh: 2, sort: 1 };
  return [
    { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
    {
      ...asked,
      ...many,
      name: 'integration',
      label: 'Integration',
      query: { query: 'label_values(dowel_info, integration)', refId: 'integration' },
    },
    {
      ...asked,
      ...many,
      name: 'instance',
      label: 'Instance',
      query: { query: 'label_values(dowel_info{integration=~"$integration"}, instance)', refId: 'instance' },
    },
  ];
}

const restarts = (): unknown => ({
  name: 'Starts',
  datasource,
  enable: true,
  iconColor: 'blue',
  expr: 'changes(process_start_time_seconds{instance=~"$instance"}[1m]) > 0',
  titleFormat: 'started',
  textFormat: '{{instance}}',
});

/** Rows from top to bottom, their panels from left to right. */
function laidOut(): readonly unknown[] {
  const all: unknown[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y: y++, w: 24, h: 1 },
      panels: [],
    });
    let x = 0;
    let lowest = 0;
    for (const panel of panels) {
      const { width: w = usualWidth, height: h = usualHeight } = panel;
      if (x + w > 24) {
        x = 0;
        y += lowest;
        lowest = 0;
      }
      all.push(drawn(panel, { id: all.length + 1, gridPos: { x, y, w, h } }));
      x += w;
      lowest = Math.max(lowest, h);
    }
    y += lowest;
  }
  return all;
}

function drawn(panel: Panel, place: { readonly id: number; readonly gridPos: unknown }): unknown {
  const { title, description, kind = 'timeseries', unit, queries } = panel;
  return {
    ...place,
    type: kind,
    title,
    description,
    datasource,
    targets: queries.map((query, index) => target(query, index, kind)),
    fieldConfig: { defaults: { unit, ...defaults(panel) }, overrides: [] },
    options: options[kind],
    ...(kind === 'table' ? { transformations: [{ id: 'organize', options: { excludeByName: hidden } }] } : {}),
  };
}

const hidden = { Time: true, Value: true, __name__: true, job: true } as const;

function target({ expr, legend }: Query, index: number, kind: NonNullable<Panel['kind']>): unknown {
  const shape = { stat: { instant: true }, table: { instant: true, format: 'table' }, heatmap: { format: 'heatmap' } };
  return {
    refId: String.fromCharCode(65 + index),
    datasource,
    expr,
    legendFormat: legend,
    ...(kind === 'timeseries' || kind === 'state-timeline' ? {} : shape[kind]),
  };
}

function defaults({ kind = 'timeseries', stacked, limits, names }: Panel): Readonly<Record<string, unknown>> {
  const steps = [{ color: 'green', value: null }, ...(limits ?? []).map(([value, color]) => ({ value, color }))];
  const mappings = names ? { mappings: [{ type: 'value', options: names }] } : {};
  if (kind !== 'timeseries') return { thresholds: { mode: 'absolute', steps }, ...mappings };
  const stacking = stacked ? { fillOpacity: 20, stacking: { mode: 'normal' } } : { fillOpacity: 0 };
  return { min: 0, custom: { drawStyle: 'line', lineWidth: 1, showPoints: 'never', ...stacking } };
}

const options: Readonly<Record<NonNullable<Panel['kind']>, unknown>> = {
  timeseries: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  stat: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'none' },
  table: { showHeader: true },
  heatmap: { calculate: false, yAxis: { unit: 's' }, color: { mode: 'scheme', scheme: 'Oranges' } },
  'state-timeline': { showValue: 'never', mergeValues: true, legend: { displayMode: 'list', placement: 'bottom' } },
};
