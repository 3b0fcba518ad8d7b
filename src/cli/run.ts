import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { callLog } from '../core/call-log.ts';
import { systemClock } from '../core/clock.ts';
import type { Log } from '../core/exchange.ts';
import { detailOf, type Failure, toFailure } from '../errors.ts';
import { Runtime } from '../flow/runtime.ts';
import '../operations/kept-tick.ts';
import { jsonLog } from '../operations/logger.ts';
import { Metrics } from '../operations/metrics.ts';
import { adminWorld } from './admin-world.ts';
import { exitCode } from './exit-codes.ts';
import { colorful, fail, say } from './output.ts';
import { prepare } from './prepare.ts';
import { exitOf, onCrash, onSignals, services, surroundings } from './process.ts';
import { closeTraces, openTraces, tracingOf } from './tracing.ts';
import { parse, UsageError } from './usage.ts';

const usage = `
dowel run FILE [--exit-when-ready]

Runs an integration until it is told to stop (SIGTERM, SIGINT): then it takes no new messages, finishes those under
way within 25 seconds, and ends. A second signal ends it at once. Log lines are JSON on stdout.

  --exit-when-ready   stop as soon as everything is open: does it start? A broker that cannot be reached is a warning

From the environment, beside the values of \`config\`: LOG_LEVEL (debug, info, warn, error), LOG_CALLS, the level of a line
for each message and each call (off, debug, info), DOWEL_DRAIN_TIMEOUT, the time to finish in (25s when absent),
DOWEL_ADMIN_HOST, where the admin server listens (as the file says, when absent), and OTEL_EXPORTER_OTLP_ENDPOINT, where
traces go (nowhere, when absent).

Exit codes: 0 stopped; 3 stopped, but some messages were given up; 69 something it needs at start is missing;
70 internal error; 78 the definition or its configuration is wrong.
`;

export async function command(args: readonly string[]): Promise<number> {
  const parsed = parse(args, {
    text: usage,
    options: { 'exit-when-ready': { type: 'boolean', default: false } },
    positionals: { min: 1, max: 1 },
  });
  if (!parsed) return exitCode.done;
  const file = parsed.positionals[0] ?? '';
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);

  const { drainTimeout, logLevel, logCalls, adminHost } = surroundings(process.env);
  const tracingSettings = await tracingOf(process.env);
  const { program, source, diagnostics, connectors } = await prepare(file, {
    env: process.env,
    config: 'required',
    trustSchemas: true,
    traced: tracingSettings !== undefined,
  });
  if (diagnostics.length > 0) {
    const { renderText } = await import('../integration/render.ts');
    say(renderText(diagnostics, file, { color: colorful(process.stderr) }));
  }
  if (!program || !source) return exitCode.config;

  const log = jsonLog({
    level: logLevel ?? source.log.level,
    base: { integration: source.name, version: source.version },
    secrets: () => source.secrets,
  });
  onCrash((thrown) => {
    log.error('unhandled error: stopping without acknowledging what is under way', {
      detail: detailOf(thrown),
      stack: thrown instanceof Error ? thrown.stack : undefined,
    });
    process.exit(exitCode.internal);
  });
  // The first process of a container hears no signal that it does not ask for. While it starts nothing is under way.
  let serving = false;
  const told = new Promise<NodeJS.Signals>((resolve) => {
    onSignals((signal) => (serving ? resolve(signal) : process.exit(exitOf(signal))));
  });
  const metrics = new Metrics();
  const calls = callLog(log, logCalls ?? source.log.calls);
  const world = { integration: () => source, secrets: () => source.secrets, log, meter: metrics };
  const tracing = await openTraces(tracingSettings, world);
  const watching = { ...(calls && { callLog: calls }), ...(tracing && { tracer: tracing.tracer }) };
  const runtime = new Runtime({ ...services(log, tracing !== undefined), meter: metrics, ...watching }, connectors);
  const { startAdmin } = await import('../operations/admin.ts');
  let admin: Awaited<ReturnType<typeof startAdmin>> | undefined;
  try {
    const at = { ...source.admin, host: adminHost ?? source.admin.host };
    admin = await startAdmin(adminWorld(runtime, metrics, source, log), at, log);
    await runtime.start(program);
  } catch (thrown) {
    await admin?.close();
    return notStarted(toFailure(thrown), log);
  }
  serving = true;
  // The launcher kept the young heap small; under load it may grow.
  setFlagsFromString('--semi-space-growth-factor=2');
  tellReady(runtime, log);
  if (!parsed.values['exit-when-ready']) {
    const signal = await told;
    log.info('stopping', { signal, inFlight: runtime.inFlight });
  }
  const stopping = systemClock.monotonic();
  const lost = await runtime.stop(drainTimeout);
  await closeTraces(tracing, stopping, drainTimeout);
  await admin.close();
  log.info('stopped', { givenUp: lost });
  // What was given up may hold on to the process for ever.
  if (lost > 0) process.exit(exitCode.gaveUp);
  return exitCode.done;
}

/** How often it is looked whether all is connected. Milliseconds. */
const lookMs = 100;

/** Everything is open; what is not connected yet goes on trying. */
function tellReady(runtime: Runtime, log: Log): void {
  if (runtime.ready) {
    log.info('ready', started());
    return;
  }
  const { flows = [], endpoints = [] } = runtime.status() ?? {};
  const away = (
    all: readonly { readonly name: string; readonly connected: boolean | undefined }[],
  ): readonly string[] => all.filter((one) => one.connected === false).map((one) => one.name);
  log.warn('open, but not ready: not connected yet', { flows: away(flows), endpoints: away(endpoints) });
  const look = (): void => {
    if (runtime.ready) log.info('ready', started());
    else systemClock.after(lookMs, look, true);
  };
  look();
}

function notStarted(error: Failure, log: Log): number {
  log.error('not started', { code: error.code, detail: error.message });
  fail(error.message);
  return error.code === 'startup' ? exitCode.unavailable : exitCode.internal;
}

/** What the start has cost. */
function started(): Readonly<Record<string, number>> {
  const { user, system } = process.cpuUsage();
  return {
    ms: Math.round(performance.now()),
    cpuMs: Math.round((user + system) / 1000),
    rssMb: Math.round(process.memoryUsage.rss() / 1e6),
  };
}
