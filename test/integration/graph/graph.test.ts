import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connectorDefinitions } from '../../../connectors/index.ts';
import { prepare } from '../../../src/cli/prepare.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { drawGraph } from '../../../src/integration/graph/graph.ts';
import { quoted } from '../../../src/integration/graph/mermaid.ts';
import { root } from '../../support/child-process.ts';
import { type Parsed, parseFlowchart } from './support/flowchart.ts';

async function draw(file: string): Promise<string> {
  const { source, program, diagnostics } = await prepare(file, { env: {}, config: 'optional' });
  assert.ok(program && source, JSON.stringify(diagnostics));
  return drawGraph(source, { direction: 'TB', connectors: connectorDefinitions });
}

async function drawn(t: TestContext, yaml: string): Promise<Parsed> {
  const folder = await mkdtemp(join(tmpdir(), 'dowel-graph-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'integration.yaml');
  await writeFile(file, `dowel: 1\nname: test\n${yaml}`);
  return parseFlowchart(await draw(file));
}

/** Every way from a node with the text `from`: `line target`, or `line|text| target`. */
const ways = ({ nodes, edges }: Parsed, from: string): readonly string[] => {
  const text = (id: string): string => nodes.get(id)?.text ?? id;
  return edges
    .filter((edge) => text(edge.from) === from)
    .map((edge) => `${edge.line}${edge.text === undefined ? '' : `|${edge.text}|`} ${text(edge.to)}`);
};

const flow = (steps: string, more = ''): string => `
endpoints:
  stock: { http: { url: "http://internal-host:1/secret" } }
  events: { channel: { name: events } }
flows:
  main:
    from: { http: { method: PUT, path: "/orders/{id}" } }
    steps:
${steps.replaceAll(/^/gm, '      ')}
${more}
  reader:
    from: { channel: { name: events } }
    steps: [ { log: { message: got } } ]
`;

test('sources, steps, endpoints and channels are connected; URLs and what they hide stay out', async (t) => {
  const chart = await drawn(
    t,
    flow(
      '- { name: Ask, call: { endpoint: stock, as: found } }\n- send: { endpoint: events }\n- respond: { status: 201 }',
    ),
  );
  assert.deepEqual(ways(chart, 'http PUT /orders/{id}'), ['--> Ask']);
  assert.deepEqual(ways(chart, 'Ask'), ['<--> stock (http)', '--> send events']);
  assert.deepEqual(ways(chart, 'send events'), ['--> events (channel)', '--> respond 201']);
  assert.deepEqual(ways(chart, 'events (channel)'), ['--> channel events']);
  assert.deepEqual(
    chart.frames.map((frame) => frame.text),
    ['main', 'reader'],
  );
  assert.deepEqual(
    [...chart.nodes.values()].filter((node) => node.text.startsWith('stock')).map((node) => node.shape),
    ['[( )]'],
  );
  assert.doesNotMatch(chart.text, /internal-host|secret/);
});

test('a flow and its calls under contracts are called by path and operation', async () => {
  const chart = parseFlowchart(await draw(join(root, 'integrations/contract-first/integration.yaml')));
  assert.equal(ways(chart, 'http GET /articles/{sku}')[0], '--> call inventory getStock');
  assert.ok(ways(chart, 'call inventory getPrice').includes('<--> inventory (http)'));
});

test('an endpoint is one node however many steps use it', async (t) => {
  const chart = await drawn(
    t,
    flow('- call: { endpoint: stock }\n- call: { endpoint: stock }\n- send: { endpoint: events }'),
  );
  assert.equal(chart.edges.filter((edge) => chart.nodes.get(edge.to)?.text === 'stock (http)').length, 2);
});

describe('steps', () => {
  test('`when` is a diamond that can be passed by', async (t) => {
    const chart = await drawn(
      t,
      flow(
        '- { name: Maybe, when: a < 1, log: { message: x } }\n- { name: Next, log: { message: x } }\n- send: { endpoint: events }',
      ),
    );
    assert.deepEqual(ways(chart, 'a < 1'), ['-->|yes| Maybe', '-->|no| Next']);
    assert.deepEqual(ways(chart, 'Maybe'), ['--> Next']);
    assert.equal([...chart.nodes.values()].find((node) => node.text === 'a < 1')?.shape, '{ }');
  });

  test('switch: a way for each case and for `otherwise`; what ends the flow leads nowhere', async (t) => {
    const chart = await drawn(
      t,
      flow(`- switch:
    cases:
      - { when: a = 1, steps: [ { name: One, send: { endpoint: events } } ] }
      - { when: a = 2, steps: [ { name: Two, respond: { status: 200 } } ] }
    otherwise: [ { name: Else, log: { message: x } } ]
- { name: Next, log: { message: x } }`),
    );
    assert.deepEqual(ways(chart, 'switch'), ['-->|a = 1| One', '-->|a = 2| Two', '-->|otherwise| Else']);
    assert.deepEqual(ways(chart, 'One'), ['--> events (channel)', '--> Next']);
    assert.deepEqual(ways(chart, 'Two'), []);
    assert.deepEqual(ways(chart, 'Else'), ['--> Next']);
  });

  test('sample is drawn as a filter, a routing slip reaches every flow that it may run', async (t) => {
    const chart = await drawn(
      t,
      flow(
        '- sample: { every: 100 }\n- sample: { per: 1s }\n- routingSlip: { flows: plan, among: [one, two] }\n- respond: { status: 201 }',
        '  one: { steps: [ { name: First, log: { message: x } } ] }\n  two: { steps: [ { log: { message: y } } ] }',
      ),
    );
    assert.deepEqual(ways(chart, 'one of 100'), ['-->|no| stop', '-->|yes| one per 1s']);
    assert.deepEqual(ways(chart, 'one per 1s'), ['-->|no| stop', '-->|yes| run plan']);
    const slip = [...chart.nodes].find(([, node]) => node.text === 'run plan')?.[0];
    const [one, two, on] = chart.edges.filter((edge) => edge.from === slip);
    assert.deepEqual([one?.line, one?.text, two?.line, two?.text], ['-.->', 'run', '-.->', 'run']);
    assert.notEqual(one?.to, two?.to);
    assert.equal(chart.nodes.get(on?.to ?? '')?.text, 'respond 201');
  });

  test('filter, loop, forEach and scatterGather have their shapes and ways', async (t) => {
    const chart = await drawn(
      t,
      flow(`- filter: { when: a > 0 }
- loop: { while: b < 3, steps: [ { name: Round, transform: $ } ] }
- forEach: { items: lines, into: done, steps: [ { name: Each, transform: $ } ] }
- scatterGather: { as: found, branches: { left: [ { name: L, transform: $ } ], right: [ { name: R, transform: $ } ] } }
- send: { endpoint: events }`),
    );
    assert.deepEqual(ways(chart, 'a > 0'), ['-->|no| stop', '-->|yes| while b < 3']);
    assert.deepEqual(ways(chart, 'while b < 3'), ['-->|yes| Round', '-->|no| for each of lines']);
    assert.deepEqual(ways(chart, 'Round'), ['--> while b < 3']);
    assert.deepEqual(ways(chart, 'Each'), ['--> gather $done']);
    assert.deepEqual(ways(chart, 'scatterGather'), ['-->|left| L', '-->|right| R']);
    assert.deepEqual(ways(chart, 'R'), ['--> gather $found']);
    assert.deepEqual(ways(chart, 'gather $found'), ['--> send events']);
  });

  test('what happens only when something failed, or beside the flow, is dotted', async (t) => {
    const chart = await drawn(
      t,
      flow(
        `- name: Charge
  call: { endpoint: stock, as: a, fallback: [ { name: Instead, transform: $ } ], compensate: [ { name: Refund, call: { endpoint: stock } } ] }
- wireTap: { steps: [ { name: Copy, send: { endpoint: events } } ] }
- respond: { status: 200 }`,
        '    onError: [ { on: [timeout, http-5xx], steps: [ { name: Sorry, respond: { status: 503 } } ] } ]',
      ),
    );
    assert.deepEqual(ways(chart, 'Charge'), [
      '<--> stock (http)',
      '-.->|fallback| Instead',
      '-.->|undo| Refund',
      '--> wireTap',
    ]);
    assert.deepEqual(ways(chart, 'Instead'), ['--> wireTap']);
    assert.deepEqual(ways(chart, 'Refund'), ['<--> stock (http)']);
    assert.deepEqual(ways(chart, 'wireTap'), ['-.->|copy| Copy', '--> respond 200']);
    assert.deepEqual(ways(chart, 'http PUT /orders/{id}'), ['--> Charge', '-.->|error| timeout, http-5xx']);
    assert.deepEqual(ways(chart, 'timeout, http-5xx'), ['--> Sorry']);
  });

  test('dead letters go to their endpoint by a dotted line', async (t) => {
    const chart = await drawn(
      t,
      `endpoints: { parked: { file: { path: ./parked.jsonl } } }
flows:
  f:
    from: { channel: { name: orders, durable: true } }
    deadLetter: { endpoint: parked, file: { append: true } }
    steps: [ { log: { message: x } } ]
`,
    );
    assert.deepEqual(ways(chart, 'channel orders'), ['--> log x', '-.->|dead letters| parked (file)']);
  });

  test('`run` leads into the sub-flow; groups and `try` are frames in the frame of their flow', async (t) => {
    const chart = await drawn(
      t,
      flow(
        `- try:
    steps: [ { group: { steps: [ { name: Inner, run: { flow: helper } } ] } } ]
    catch: [ { steps: [ { name: Caught, transform: $ } ] } ]
    finally: [ { name: Last, log: { message: x } } ]
- send: { endpoint: events }`,
        '  helper:\n    steps: [ { transform: $ } ]',
      ),
    );
    assert.deepEqual(ways(chart, 'Inner'), ['==>|run| start', '--> Last']);
    assert.deepEqual(ways(chart, 'Caught'), ['--> Last']);
    assert.deepEqual(
      chart.frames.map((frame) => frame.path.join(' / ')),
      ['main', 'main / try', 'main / try / group', 'helper', 'reader'],
    );
  });

  test('a recipient list points to every endpoint it may choose', async (t) => {
    const chart = await drawn(
      t,
      flow('- recipientList: { endpoints: names, http: { method: GET }, as: r }\n- send: { endpoint: events }'),
    );
    assert.deepEqual(ways(chart, 'to names'), ['-.-> stock (http)', '--> send events']);
  });
});

test('whatever things are called, the chart is well-formed and the names come back', async (t) => {
  const random = seededRandom(3);
  const signs = [...'abz019 ._-+%$&!~#@()[]{}\'"`,;=^*?|<>:\\/äß東京🎈'];
  const names = [
    'end',
    'subgraph',
    '%%{init: {}}%%',
    '"] --> x',
    '1. list',
    '- list',
    '$$x$$',
    '__init__',
    '</text>',
    ' ',
    '#35;',
  ];
  for (let i = 0; i < 60; i++) {
    names.push(
      Array.from(
        { length: 1 + Math.floor(random.next() * 30) },
        () => signs[Math.floor(random.next() * signs.length)],
      ).join(''),
    );
  }
  // What YAML and the loader would read as something else than a name is not the question here.
  const written = (name: string): string => JSON.stringify(name.replaceAll('${', '$('));
  const steps = names.map((name) => `- { name: ${written(name)}, log: { message: x } }`);
  const chart = await drawn(t, flow(`${steps.join('\n')}\n- send: { endpoint: events }`));
  const shown = new Set([...chart.nodes.values()].map((node) => node.text));
  for (const name of names) assert.ok(shown.has(name.replaceAll('${', '$(').replaceAll(/\s+/g, ' ').trim()), name);
});

test('a label has no sign that Mermaid, HTML or Markdown would read', () => {
  assert.equal(
    quoted('a "b" <i> `c` %%{x}%% [d]'),
    '"a #34;b#34; #60;i#62; #96;c#96; #37;#37;#123;x#125;#37;#37; #91;d#93;"',
  );
  assert.equal(quoted('1. one'), '"1#46; one"');
  assert.equal(quoted('v1.2'), '"v1.2"');
  assert.equal(quoted('- one-two'), '"#45; one-two"');
  assert.equal(quoted('snake_case _x_'), '"snake_case #95;x#95;"');
  assert.equal(quoted('$a + $$.b'), '"$a + #36;#36;.b"');
  assert.equal(quoted('\u0007\n'), '" "');
});

test('every example is drawn', async () => {
  const files = globSync('integrations/**/integration.yaml', { cwd: root });
  assert.ok(files.length > 0);
  for (const file of files) {
    const chart = parseFlowchart(await draw(join(root, file)));
    assert.ok(chart.frames.length > 0 && chart.edges.length > 0, file);
  }
});
