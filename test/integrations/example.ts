import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Environment, root } from '../support/child-process.ts';
import { type DowelProcess, startDowel } from '../support/dowel-process.ts';
import { freePort } from '../support/free-port.ts';

export const folder = join(root, 'integrations');
const fileOf = (path: string): string => join(folder, path, 'integration.yaml');

/** The examples that people start with: those that are nobody's backend. */
export const examples: readonly string[] = globSync('*/integration.yaml', { cwd: folder }).map(dirname).sort();

/** The backend that listens on a port when nobody says otherwise. */
const backends: ReadonlyMap<string, string> = new Map(
  globSync('backends/*/integration.yaml', { cwd: folder }).map((file) => {
    return [usualPort(readFileSync(join(folder, file), 'utf8')), basename(dirname(file))];
  }),
);

function usualPort(text: string): string {
  const port = /PORT: \{ type: integer, default: (\d+) \}/.exec(text)?.[1];
  if (port === undefined) throw new Error('the file has no PORT');
  return port;
}

/** An example and its backends, as processes on free ports. */
export class Example implements AsyncDisposable {
  readonly main: DowelProcess;
  readonly backends: Readonly<Record<string, DowelProcess>>;
  /** Every part by the port that the file gives it. */
  readonly byUsualPort: ReadonlyMap<string, DowelProcess>;
  /** Where its backends are, by variable: another example that is given them has these. */
  readonly urls: Environment;

  constructor(
    main: DowelProcess,
    usualPort: string,
    backendsByPort: ReadonlyMap<string, DowelProcess>,
    urls: Environment,
  ) {
    this.main = main;
    this.urls = urls;
    this.backends = Object.fromEntries([...backendsByPort].map(([port, one]) => [backends.get(port) ?? port, one]));
    this.byUsualPort = new Map([...backendsByPort, [usualPort, main]]);
  }

  get url(): string {
    return this.main.url;
  }

  backend(name: string): DowelProcess {
    const found = this.backends[name];
    if (!found) throw new Error(`there is no backend ${name}`);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.main, ...Object.values(this.backends)].map((one) => one[Symbol.asyncDispose]()));
  }
}

/** Starts the backends that the `…_URL` of the file lead to, and the example with their real addresses. */
export async function startExample(name: string, env: Environment = {}): Promise<Example> {
  const text = readFileSync(fileOf(name), 'utf8');
  const urls = [...text.matchAll(/(\w+_URL): \{ type: uri, default: http:\/\/localhost:(\d+)(\/\S*)? \}/g)];
  const ports = [...new Set(urls.filter(([, variable = '']) => !(variable in env)).map(([, , port = '']) => port))];
  await using stack = new AsyncDisposableStack();
  const byPort = new Map<string, DowelProcess>();
  const starting = ports.map(async (port) =>
    byPort.set(port, stack.use(await startBackend(backends.get(port) ?? port))),
  );
  await Promise.all(starting);
  const started = urls.filter(([, , port = '']) => byPort.has(port));
  const found = Object.fromEntries(
    started.map(([, variable = '', port = '', path = '']) => [variable, `${byPort.get(port)?.url}${path}`]),
  );
  const main = await startDowel(fileOf(name), { env: { PORT: '0', ...found, ...env } });
  // From here on it is the example that ends them.
  stack.move();
  return new Example(main, usualPort(text), byPort, found);
}

export const startBackend = (name: string, env: Environment = {}): Promise<DowelProcess> =>
  startDowel(fileOf(`backends/${name}`), { env: { PORT: '0', ...env } });

/** A place where nobody listens. */
export const nobody = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON, else its text. */
  readonly body: unknown;
}

export async function ask(url: string, request: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, request);
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

export const post = (url: string, body: unknown): Promise<Answer> =>
  ask(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
