import { basename } from 'node:path';
import { connectors } from '../../connectors/index.ts';
import { callLog } from '../core/call-log.ts';
import { systemClock } from '../core/clock.ts';
import type { IntegrationSource } from '../core/written.ts';
import { detailOf, toFailure } from '../errors.ts';
import { Runtime } from '../flow/runtime.ts';
import { renderText } from '../integration/render.ts';
import { startAdmin } from '../operations/admin.ts';
import { type LevelledLog, prettyLog } from '../operations/logger.ts';
import { Metrics } from '../operations/metrics.ts';
import { watchFiles } from '../operations/watch.ts';
import { adminWorld } from './admin-world.ts';
import { exitCode } from './exit-codes.ts';
import { colorful, fail, say } from './output.ts';
import { type Prepared, prepare } from './prepare.ts';
import { onSignals, services, surroundings } from './process.ts';
import { closeTraces, openTraces, tracingOf } from './tracing.ts';
import { fileOf, parse } from './usage.ts';

const usage = `
dowel dev FILE

Runs an integration and reloads it whenever its file, or one that it refers to, changes. Requests under way finish on
the old version. A broken edit is explained, and the old version goes on. The admin server is there as
under dowel run; where it listens is read once, at the start. Each message and each call leaves a line (LOG_CALLS=debug
or off: none).
`;

export async function command(args: readonly string[]): Promise<number> {
  const parsed = parse(args, { text: usage, options: {}, positionals: { min: 1, max: 1 } });
  if (!parsed) return exitCode.done;
  const file = fileOf(parsed.positionals);

  const { drainTimeout, logLevel, logCalls = 'info' } = surroundings(process.env);
  const tracingSettings = await tracingOf(process.env);
  const color = colorful(process.stderr);
  const secrets = new Set<string>();
  const log = prettyLog({
    level: logLevel ?? 'info',
    base: {},
    secrets: () => [...secrets],
    color,
    write: (text) => process.stderr.write(text),
  });
  const metrics = new Metrics();
  let current: IntegrationSource | undefined;
  const world = { integration: () => current, secrets: () => [...secrets], log, meter: metrics };
  const tracing = await openTraces(tracingSettings, world);
  const calls = callLog(log, logCalls);
  const watching = { ...(calls && { callLog: calls }), ...(tracing && { tracer: tracing.tracer }) };
  const runtime = new Runtime({ ...services(log, tracing !== undefined), meter: metrics, ...watching }, connectors);
  let running = false;
  let admin: Promise<Admin | undefined> | undefined;

  const told = new Promise<NodeJS.Signals>((resolve) => onSignals(resolve));

  const load = async (): Promise<Prepared> => {
    const started = performance.now();
    const traced = tracing !== undefined;
    const prepared = await prepare(file, { env: process.env, config: 'required', traced });
    for (const secret of prepared.source?.secrets ?? []) secrets.add(secret);
    if (prepared.diagnostics.length > 0) say(renderText(prepared.diagnostics, file, { color }));
    if (!prepared.program) {
      say(running ? 'The version before goes on. Correct the file and save it.' : 'Correct the file and save it.');
      return prepared;
    }
    admin ??= openAdmin(runtime, metrics, prepared.program.source, log);
    await admin;
    current ??= prepared.program.source;
    try {
      await (running ? runtime.swap(prepared.program, drainTimeout) : runtime.start(prepared.program));
      log.info(running ? 'reloaded' : 'ready', { file: basename(file), ms: Math.round(performance.now() - started) });
      running = true;
      current = prepared.program.source;
    } catch (thrown) {
      fail(
        `${toFailure(thrown).message}\n${running ? 'The version before goes on.' : 'Correct it, and save the file.'}`,
      );
    }
    return prepared;
  };

  const since = systemClock.now();
  const first = await load();
  let loading: Promise<unknown> = Promise.resolve();
  const reload = async (changed: readonly string[]): Promise<readonly string[]> => {
    say(`${changed.map((one) => basename(one)).join(', ')} changed`);
    const next = load();
    loading = next;
    return (await next).files;
  };
  const watcher = await watchFiles(first.files, reload, since);
  say(`watching ${first.files.map((one) => basename(one)).join(', ')}`);
  await told;
  await watcher.close();
  // What it opens has to be closed again.
  await loading;
  const stopping = systemClock.monotonic();
  const lost = await runtime.stop(drainTimeout);
  await closeTraces(tracing, stopping, drainTimeout);
  await (await admin)?.close();
  // What was given up may hold on to the process for ever.
  if (lost > 0) process.exit(exitCode.gaveUp);
  return exitCode.done;
}

type Admin = Awaited<ReturnType<typeof startAdmin>>;

/** Where the first version that runs says. Without it the integration runs all the same. */
async function openAdmin(
  runtime: Runtime,
  metrics: Metrics,
  source: IntegrationSource,
  log: LevelledLog,
): Promise<Admin | undefined> {
  const { adminHost } = surroundings(process.env);
  const at = { ...source.admin, host: adminHost ?? source.admin.host };
  try {
    return await startAdmin(adminWorld(runtime, metrics, source, log), at, log);
  } catch (thrown) {
    log.warn('there is no admin server', { host: at.host, port: at.port, detail: detailOf(thrown) });
    return undefined;
  }
}
