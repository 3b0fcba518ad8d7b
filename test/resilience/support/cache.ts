import type { TestContext } from 'node:test';
import { type Answer, type Call, type Engine, mainFlow, startEngine } from '../../support/engine.ts';

export const read = '- call: { endpoint: a, test: { path: "${{ $headers.path ? $headers.path : \'get\' }}" } }';

/** Numbers its answers. */
export const numbered = (headers: Record<string, string> = {}): ((call: Call) => Answer) => {
  let n = 0;
  return () => ({ headers, body: { n: ++n } });
};

export const start = (t: TestContext, cache: string, far = numbered(), more = ''): Promise<Engine> =>
  startEngine(t, mainFlow(read, { policies: `cache: { ${cache} }${more}` }), { far });

export const get = async (engine: Engine, path = 'get'): Promise<unknown> =>
  ((await engine.send({ headers: { path } })).body as { n?: number } | undefined)?.n;

export const said = (engine: Engine): readonly string[] =>
  engine.log.lines
    .map((line) => line.message)
    .filter((message) => /^answer|^an old/.test(message))
    .map((message) => message.replace(/^answer(ed)? /, ''));
