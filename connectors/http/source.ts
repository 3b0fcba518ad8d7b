import { failure, type OpenSource, type Source, type SourceContext } from '#sdk';
import { compileCors } from './cors.ts';
import type { SourceOptions } from './definition.ts';
import { parsePath } from './routes.ts';
import { HttpServer, type Mount } from './server.ts';

/** Serves one path; the server behind it is shared with all http sources of the process. */
export const openSource = (async (options: SourceOptions, context: SourceContext): Promise<Source> => {
  const { host, port } = context.server;
  const { services, log } = context;
  const path = parsePath(options.path);
  if ('problem' in path) throw failure('startup', { what: `The http source of ${context.name}`, detail: path.problem });
  const methods = typeof options.method === 'string' ? [options.method] : [...new Set(options.method)];
  const shared = context.share(`http:${host}:${port}`, () => new HttpServer({ host, port, services, log }));
  const mount: Mount = {
    deliver: context.deliver,
    services,
    maxBody: options.maxBody,
    needsWholeBody: context.needsWholeBody,
    cors: options.cors && compileCors(options.cors),
    owner: services,
    flow: context.name,
    stopped: false,
  };
  let unmount: () => void;
  try {
    unmount = shared.value.mount(methods, path, mount, options.path);
  } catch (thrown) {
    await shared.release();
    throw thrown;
  }
  try {
    await shared.value.listen();
  } catch (thrown) {
    unmount();
    await shared.release();
    throw thrown;
  }

  return {
    async stop() {
      if (mount.stopped) return;
      mount.stopped = true;
      shared.value.stopped();
    },
    async close() {
      mount.stopped = true;
      unmount();
      await shared.release();
    },
  };
}) satisfies OpenSource;
