/** All mistakes of a file at once, and none that only follows from another. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { positions } from '../../src/integration/position.ts';
import { workshop } from './support/mistakes.ts';

const { diagnose } = workshop();

/** `«»` mark where each diagnostic must stand, in the order of the file. */
async function found(
  marked: string,
): Promise<{ readonly codes: readonly string[]; readonly marks: readonly string[] }> {
  const yaml = marked.replaceAll(/[«»]/g, '');
  const at = positions(yaml);
  const marks: string[] = [];
  let taken = 0;
  let start = 0;
  for (const { 0: sign, index } of marked.matchAll(/[«»]/g)) {
    const { line, column } = at(index - taken);
    if (sign === '»') marks.push(`${start}-${line}:${column}`);
    else start = line * 1000 + column;
    taken++;
  }
  const diagnostics = await diagnose(yaml);
  const places = diagnostics.map((one) => `${one.line * 1000 + one.column}-${one.endLine}:${one.endColumn}`);
  assert.deepEqual(places, marks, diagnostics.map((one) => `${one.line}:${one.column} ${one.message}`).join('\n'));
  return { codes: diagnostics.map((one) => one.code), marks };
}

test('a file full of mistakes is told in one run', async () => {
  const { codes } = await found(`dowel: 1
name: «place order»
«vesion»: 1.0.0
config:
  PORT: { type: «integr» }
  URL: { type: uri, default: «localhost» }
server: { port: "«\${PROT}»" }
endpoints:
  inventory: { «htp»: { url: "\${URL}" } }
  payments:
    http: { url: "«\${PAYMENTS}»", auth: { bearer: { «tokn»: "\${KEY}" } } }
    timeout: «5»
flows:
  order:
    from: { http: { path: «orders», «metod»: POST } }
    deadline: «5 s»
    steps:
      - «cal»: { endpoint: inventory, as: stock }
      - call: { endpoint: «inventry», as: price }
      - call: { endpoint: payments, «file»: { append: true }, as: «sum» }
      - transform: $stock.a + $price.b + «$prize».c
      - switch:
          cases:
            - when: a «==» b
              steps: [ { run: { flow: «helper» } } ]
          otherwise: []
      - respond: { «staus»: 201, body: { at: "\${{ $now(« »}}" } }
      - «log: { message: never }»
    onError:
      - on: [«time-out»]
        steps:
          - respond: { body: { code: "\${{ $error.code }}" } }
  helper2:
    from: { timer: { every: 1s } }
    steps:
      - «respond»: {}
`);
  assert.deepEqual(codes, [
    'bad-name',
    'unknown-key',
    'wrong-value',
    'bad-uri',
    'undeclared-config',
    'unknown-connector',
    'undeclared-config',
    'unknown-key',
    'bad-duration',
    'wrong-value',
    'unknown-key',
    'bad-duration',
    'unknown-step',
    'unknown-endpoint',
    'wrong-connector',
    'shadows-built-in',
    'unknown-variable',
    'expression',
    'unknown-flow',
    'unknown-key',
    'expression',
    'unreachable',
    'unknown-error-code',
    'nobody-awaits',
  ]);
});

describe('what follows from a mistake is not told again', () => {
  const cases: Readonly<Record<string, string>> = {
    'an endpoint with an unknown connector, in every step that uses it': `dowel: 1
name: t
endpoints: { e: { «pulsar»: { brokers: [a] } } }
flows:
  f:
    from: { http: { path: /a } }
    steps:
      - call: { endpoint: e, as: a }
      - send: { endpoint: e, http: { method: GET } }
`,
    'endpoints under a misspelt key': `dowel: 1
name: t
«endpoint»: { e: { http: { url: http://a } } }
flows: { f: { from: { http: { path: /a } }, steps: [ { call: { endpoint: e } } ] } }
`,
    'config under a misspelt key': `dowel: 1
name: t
«confg»: { PORT: { type: integer, default: 1 } }
server: { port: "\${PORT}" }
flows: { f: { from: { http: { path: /a } }, steps: [ { transform: $config.PORT } ] } }
`,
    'flows under a misspelt key': `dowel: 1
name: t
«flow»: { f: { from: { http: { path: /a } }, steps: [ { run: { flow: g } } ] }, g: { steps: [] } }
`,
    'a config value whose declaration is wrong': `dowel: 1
name: t
config: { PORT: { «typ»: integer } }
server: { port: "\${PORT}" }
admin: { port: "\${PORT}" }
flows: { f: { from: { http: { path: /a } }, steps: [ { transform: $config.PORT } ] } }
`,
    'the result of a step that is misspelt beyond recognition': `dowel: 1
name: t
endpoints: { e: { http: { url: http://a } } }
flows:
  f:
    from: { http: { path: /a } }
    steps:
      - «teleport»: { endpoint: e, as: found }
      - transform: $found.a
      - respond: { body: "\${{ $found.b }}" }
`,
    'the results of steps in a branch that is no list': `dowel: 1
name: t
endpoints: { e: { http: { url: http://a } } }
flows:
  f:
    from: { http: { path: /a } }
    steps:
      - group:
          steps:
            «call: { endpoint: e, as: found }»
      - transform: $found.a
`,
    'the result of a step that stands beside the list': `dowel: 1
name: t
endpoints: { e: { http: { url: http://a } } }
flows:
  f:
    from: { http: { path: /a } }
    steps:
      - transform: $found.a
    «call»: { endpoint: e, as: found }
`,
    'the result of a step with one dash too many': `dowel: 1
name: t
endpoints: { e: { http: { url: http://a } } }
flows:
  f:
    from: { http: { path: /a } }
    steps:
      - «- call:
          endpoint: e
          as: found»
      - transform: $found.a
`,
    'a result whose name is not there yet': `dowel: 1
name: t
endpoints: { e: { http: { url: http://a } } }
flows:
  f:
    from: { http: { path: /a } }
    steps:
      - call:
          endpoint: e
          «as»:
      - transform: $found.a
`,
    'an endpoint among those of another, or beside them': `dowel: 1
name: t
endpoints:
  e:
    http: { url: http://a }
    «g»: { http: { url: http://b } }
«h»: { http: { url: http://c } }
flows: { f: { from: { http: { path: /a } }, steps: [ { call: { endpoint: g } }, { call: { endpoint: h } } ] } }
`,
    'a config value beside `config`': `dowel: 1
name: t
config:
  A: {}
«PORT»: { type: integer, default: 1 }
server: { port: "\${PORT}" }
flows: { f: { from: { http: { path: /a } }, steps: [] } }
`,
    'a sub-flow that only a broken step runs': `dowel: 1
name: t
flows:
  f:
    from: { http: { path: /a } }
    steps:
      - «teleport»: { steps: [ { run: { flow: g } } ] }
  g: { steps: [] }
`,
    'a sub-flow whose steps are wrong': `dowel: 1
name: t
flows:
  f: { from: { http: { path: /a } }, steps: [ { run: { flow: g } } ] }
  g: «5»
`,
    'a channel whose reader is wrong': `dowel: 1
name: t
endpoints: { q: { channel: { name: jobs } } }
flows:
  f: { from: { http: { path: /a } }, steps: [ { send: { endpoint: q } } ] }
  g: { from: { channel: { «nme»: jobs, «capacty»: 5 } }, steps: [] }
`,
    'the source of a flow is of no known kind': `dowel: 1
name: t
flows:
  f:
    from: { «rabbit»: { queue: a } }
    steps:
      - transform: $params.id & $source.key
      - respond: {}
`,
    'an option that is missing': `dowel: 1
name: t
flows: { f: { from: { http: { path: /a } }, steps: [ { «call»: { as: x } }, { run: { flow: «no» } } ] } }
`,
    'an expression in a hole that does not compile': `dowel: 1
name: t
flows: { f: { from: { http: { path: /a } }, steps: [ { log: { message: "\${{ $nope +« »}}" } } ] } }
`,
    'a broken expression under `when`': `dowel: 1
name: t
flows: { f: { from: { http: { path: /a } }, steps: [ { when: "$nope «&&» $no", stop: {} } ] } }
`,
    'a template with an undeclared value still has its other mistakes': `dowel: 1
name: t
flows: { f: { from: { http: { path: /a } }, steps: [ { log: { message: "«\${NO}» \${{ «$nope» }}" } } ] } }
`,
  };
  for (const [title, marked] of Object.entries(cases)) {
    test(title, async () => {
      await found(marked);
    });
  }
});

test('a mistake that a misspelt key hides is told with it, where it was written', async () => {
  const { codes } = await found(`dowel: 1
name: t
«endpionts»: { e: { http: { url: http://a, maxResponse: «10 MB» } } }
flows:
  f:
    from: { http: { path: /a } }
    steps:
      - «cal»: { endpoint: «f», as: found }
      - call:
        «endpoint»: «g»
`);
  assert.deepEqual(codes, [
    'unknown-key',
    'bad-size',
    'unknown-step',
    'unknown-endpoint',
    'misplaced-key',
    'unknown-endpoint',
  ]);
});

test('what has nothing to do with a mistake is told beside it', async () => {
  const { codes } = await found(`dowel: 1
name: t
server: { «prot»: 8080 }
endpoints: { q: { channel: { name: «jobs» } } }
flows:
  f: { from: { http: { path: /a } }, steps: [ { send: { endpoint: q } }, { log: { «massage»: x } } ] }
  «g»: { steps: [] }
`);
  assert.deepEqual(codes, ['unknown-key', 'nobody-reads', 'unknown-key', 'unused-flow']);
});
