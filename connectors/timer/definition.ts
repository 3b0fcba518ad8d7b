import type { ConnectorDefinition, Infer, Schema } from '#sdk';
import { cronProblem, timezoneProblem } from './cron.ts';

export const source = {
  type: 'object',
  description: 'Starts the flow at fixed times: `every` so often, or by a `cron` expression.',
  properties: {
    every: {
      type: 'string',
      format: 'duration',
      description: 'The time from one tick to the next. Ticks stay at this rate from the start on, without drift.',
      examples: ['10s', '5m', '24h'],
    },
    cron: {
      type: 'string',
      format: 'cron',
      description:
        'Five fields (minute, hour, day of month, month, weekday) or six (a second before them). Weekdays and months may be named.',
      examples: ['0 2 * * *', '*/15 8-18 * * MON-FRI', '30 0 0 1 * *'],
    },
    timezone: {
      type: 'string',
      format: 'timezone',
      description: 'The IANA time zone in which `cron` is read, UTC when absent. Daylight saving time is followed.',
      examples: ['Europe/Berlin', 'America/New_York'],
    },
    immediately: {
      type: 'boolean',
      default: false,
      description: 'The first tick of `every` comes at the start, not one interval later.',
    },
  },
} as const satisfies Schema;

export type TimerOptions = Infer<typeof source>;

export const definition: ConnectorDefinition = {
  name: 'timer',
  summary: 'Starts a flow at fixed times: every so often, or by a cron expression in a time zone.',
  source,
  events: false,
  // Its interval goes on.
  staysOpen: () => true,
  unsettled: 'a tick is not kept, and the next one comes anyway. Calls are repeated by `retry` on their endpoint',
  check(options, report) {
    const { every, cron, timezone, immediately } = options as Partial<TimerOptions>;
    if (every === undefined && cron === undefined)
      report('', 'Give one of `every` (such as 10s) and `cron` (such as "0 2 * * *")');
    if (every !== undefined && cron !== undefined) report('cron', 'Give only one of `every` and `cron`');
    if (every !== undefined && every < 1) report('every', 'The interval must be at least 1ms');
    if (cron === undefined && timezone !== undefined)
      report('timezone', '`timezone` belongs to `cron`: `every` knows no time of day');
    if (cron !== undefined && immediately)
      report('immediately', '`immediately` belongs to `every`: a cron expression names its times itself');
    const zone = timezone === undefined ? undefined : timezoneProblem(timezone);
    if (zone) report('timezone', zone.message, zone.suggestion);
    const pattern = cron === undefined ? undefined : cronProblem(cron);
    if (pattern !== undefined) report('cron', pattern);
  },
};
