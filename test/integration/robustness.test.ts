/** Whatever somebody is in the middle of typing: a program, or diagnostics with a place. Never a crash. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import type { Diagnostic } from '../../src/integration/diagnostic.ts';
import { workshop } from './support/mistakes.ts';

const valid = `dowel: 1
name: everything
version: 1.0.0
config:
  PORT: { type: integer, default: 8080 }
  URL: { type: uri, default: http://localhost:9101 }
  KEY: { secret: true }
server: { port: "\${PORT}" }
endpoints:
  inventory:
    http:
      url: "\${URL}"
      auth: { bearer: { token: "\${KEY}" } }
    timeout: 800ms
  jobs: { channel: { name: jobs } }
  audit: { file: { path: ./audit.jsonl } }
flows:
  order:
    description: One of everything.
    from:
      http: { method: POST, path: "/orders/{id}" }
    deadline: 5s
    steps:
      - validate: { schema: ./order.schema.json }
      - set:
          headers: { x-id: "\${{ $params.id }}" }
          variables: { total: "\${{ $sum(items.price) }}" }
      - scatterGather:
          branches:
            stock:
              - call: { endpoint: inventory, http: { method: GET, path: "/stock/\${{ sku }}" } }
            price:
              - call: { endpoint: inventory, http: { method: GET, path: "/prices/\${{ sku }}" } }
          as: found
      - name: Out of stock
        when: $found.stock.available < quantity
        respond: { status: 409, body: { error: out of stock } }
      - switch:
          cases:
            - when: $total > 100
              steps: [ { run: { flow: discount, as: cheaper } } ]
          otherwise:
            - log: { message: "no discount for \${{ $params.id }}" }
      - forEach:
          items: items
          as: item
          steps:
            - transform: |
                {
                  "sku": sku,
                  "at": $now()
                }
          into: lines
      - try:
          steps:
            - send: { endpoint: jobs, body: { lines: "\${{ $lines }}" } }
          catch:
            - on: [timeout, http-5xx]
              steps: [ { fail: { code: busy, kind: transient } } ]
      - convert: { to: xml, xml: { root: order } }
      - respond: {}
    onError:
      - when: $error.kind = "transient"
        steps:
          - respond: { status: 503 }
  discount:
    steps:
      - transform: total * 0.9
  work:
    from: { channel: { name: jobs } }
    steps:
      - send: { endpoint: audit, file: { append: true } }
`;

const { diagnose } = workshop();
const random = seededRandom(20261121);
const below = (end: number): number => Math.floor(random.next() * end);

type Mutation = (lines: string[]) => void;

const lineMutations: Readonly<Record<string, Mutation>> = {
  'a line is missing': (lines) => void lines.splice(below(lines.length), 1),
  'several lines are missing': (lines) => void lines.splice(below(lines.length), 1 + below(6)),
  'a line stands twice': (lines) => {
    const at = below(lines.length);
    lines.splice(at, 0, lines[at] ?? '');
  },
  'a line is indented further': (lines) => change(lines, (line) => `  ${line}`),
  'a line is indented less': (lines) => change(lines, (line) => line.replace(/^ {1,2}/, '')),
  'a line is indented with a tab': (lines) => change(lines, (line) => `\t${line.trimStart()}`),
  'a line is a comment': (lines) => change(lines, (line) => `# ${line}`),
  'a line begins a list': (lines) => change(lines, (line) => line.replace(/^( *)/, '$1- ')),
  'a line has no dash': (lines) => change(lines, (line) => line.replace('- ', '  ')),
  'a line has nothing behind its colon': (lines) => change(lines, (line) => line.replace(/:.*/, ':')),
  'the file ends early': (lines) => void lines.splice(below(lines.length)),
  'two lines are swapped': (lines) => {
    const at = below(lines.length - 1);
    lines.splice(at, 2, lines[at + 1] ?? '', lines[at] ?? '');
  },
};

function change(lines: string[], how: (line: string) => string): void {
  const at = below(lines.length);
  lines[at] = how(lines[at] ?? '');
}

function isPlaced(one: Diagnostic, yaml: string): void {
  const lines = yaml.split(/\r\n|\r|\n/);
  const words = JSON.stringify(one);
  assert.ok(one.line >= 1 && one.line <= lines.length, words);
  assert.ok(one.column >= 1 && one.column <= (lines[one.line - 1]?.length ?? 0) + 1, words);
  assert.ok(one.endLine > one.line || (one.endLine === one.line && one.endColumn >= one.column), words);
  assert.match(one.code, /^[a-z]+(-[a-z]+)*$/, words);
  assert.doesNotMatch(one.message, /undefined|\[object|NaN|``/, words);
}

async function survives(yaml: string): Promise<void> {
  const diagnostics = await diagnose(yaml).catch((thrown: unknown) => {
    throw new Error(`this file makes it crash:\n${yaml}`, { cause: thrown });
  });
  for (const one of diagnostics) isPlaced(one, yaml);
}

test('the file that is changed below is right', async () => {
  assert.deepEqual(await diagnose(valid), []);
});

for (const [title, mutate] of Object.entries(lineMutations)) {
  test(title, async () => {
    for (let round = 0; round < 40; round++) {
      const lines = valid.split('\n');
      mutate(lines);
      await survives(lines.join('\n'));
    }
  });
}

test('a character is missing, stands twice, or is another', async () => {
  const others = '{}[]:,-#&*!|>"\'%@`$ \t\n\u0000é😀';
  for (let round = 0; round < 150; round++) {
    const at = below(valid.length);
    const other = [...others][below([...others].length)] ?? '';
    const put = [valid[at - 1] ?? '', other, ''][below(3)] ?? '';
    await survives(valid.slice(0, at) + put + valid.slice(at + below(2)));
  }
});

test('the file ends anywhere', async () => {
  for (let end = 0; end < valid.length; end += 1 + below(40)) await survives(valid.slice(0, end));
});

test('several of them at once', async () => {
  const mutations = Object.values(lineMutations);
  for (let round = 0; round < 100; round++) {
    const lines = valid.split('\n');
    for (let i = 0; i < 4; i++) mutations[below(mutations.length)]?.(lines);
    await survives(lines.join('\n'));
  }
});

test('the work for misspelt keys inside of misspelt keys grows with their number, not beyond', async () => {
  let steps = '[ { stop: {} } ]';
  for (let level = 0; level < 11; level++) steps = `[ { grup: { stps: ${steps} } } ]`;
  const yaml = `dowel: 1\nname: t\nflows: { f: { from: { http: { path: /a } }, steps: ${steps} } }\n`;
  assert.equal((await diagnose(yaml)).length, 22);
});
