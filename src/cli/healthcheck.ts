import { exitCode } from './exit-codes.ts';
import { fail } from './output.ts';
import { parse, UsageError } from './usage.ts';

const usage = `
dowel healthcheck [--host 127.0.0.1] [--port 9400] [--timeout 3000]

Asks a running integration, by its admin port, whether it is ready. Exit code 0: yes; 1: no.
`;

export async function command(args: readonly string[]): Promise<number> {
  const parsed = parse(args, {
    text: usage,
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '9400' },
      timeout: { type: 'string', default: '3000' },
    },
    positionals: { min: 0, max: 0 },
  });
  if (!parsed) return exitCode.done;
  const port = Number(parsed.values.port);
  const timeout = Number(parsed.values.timeout);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new UsageError('--port takes a number from 1 to 65535');
  if (!Number.isInteger(timeout) || timeout < 1) throw new UsageError('--timeout takes milliseconds');
  const problem = await ask(parsed.values.host ?? '127.0.0.1', port, timeout);
  if (problem === undefined) return exitCode.done;
  fail(problem);
  return exitCode.findings;
}

/** What is wrong, or `undefined` when it is ready. */
function ask(host: string, port: number, timeout: number): Promise<string | undefined> {
  const { get } = process.getBuiltinModule('node:http');
  return new Promise((resolve) => {
    const request = get({ host, port, path: '/readyz', timeout, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `not ready: ${host}:${port} answered ${response.statusCode}`);
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeout} ms`)));
    request.on('error', (error) => resolve(`not ready: ${host}:${port}: ${error.message}`));
  });
}
