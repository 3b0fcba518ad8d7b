import { failure, type OpenSource, type Source, type SourceContext } from '#sdk';
import { accept } from './accepted.ts';
import { BodyBytes } from './body-bytes.ts';
import { compileCors } from './cors.ts';
import type { SourceOptions } from './definition.ts';
import { parsePath } from './path.ts';
import { HttpServer } from './server.ts';

/** Serves one path; the server behind it is shared with all http sources of the process. */
export const openSource = (async (options: SourceOptions, context: SourceContext): Promise<Source> => {
  const { host, port, tls } = context.server;
  const { services, log } = context;
  const path = parsePath(options.path);
  if ('problem' in path) throw failure('startup', { what: `The http source of ${context.name}`, detail: path.problem });
  const methods = typeof options.method === 'string' ? [options.method] : [...new Set(options.method)];
  const door =
    options.auth || options.rateLimit ? await (await import('./auth/door.ts')).openDoor(options, context) : undefined;
  const serving = options.contract && (await import('./contract/serving.ts')).serveContract(options, context);
  const key = `${tls ? 'https' : 'http'}:${host}:${port}`;
  const shared = context.share(key, () => new HttpServer({ host, port, tls: tls !== undefined, services, log }));
  const bodyBytes = context.share(BodyBytes.key, () => new BodyBytes());
  const server = shared.value;
  const release = async (): Promise<void> => {
    await shared.release();
    await bodyBytes.release();
  };
  const accepting = options.reply === 'accepted' ? accept(options, context) : undefined;
  let unmount = async (): Promise<void> => {};
  try {
    unmount = server.mount(
      methods,
      path,
      {
        deliver: serving?.deliver ?? context.deliver,
        door,
        accept: accepting && (serving?.accepting(accepting.put) ?? accepting.put),
        services,
        maxBody: options.maxBody,
        needsWholeBody: context.needsWholeBody,
        cors: options.cors && compileCors(options.cors),
        wording: context.wording,
        bodyBytes: bodyBytes.value,
        path: options.path,
        owner: services,
        flow: context.name,
      },
      options.path,
    );
    await server.listen(tls);
  } catch (thrown) {
    await unmount();
    await accepting?.close();
    await release();
    throw thrown;
  }

  return {
    pause: () => accepting?.pause(),
    resume: () => accepting?.resume(),
    // What is under way goes on; what comes for the path from now on is another one's.
    async stop() {
      accepting?.stop();
      await unmount();
    },
    async close() {
      await unmount();
      await accepting?.close();
      await release();
    },
  };
}) satisfies OpenSource;
