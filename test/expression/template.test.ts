import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TemplateMode } from '../../src/core/written.ts';
import { Failure } from '../../src/errors.ts';
import type { TemplateProblem } from '../../src/expression/template.ts';
import { compileTemplate, holes } from '../../src/expression/template.ts';
import { scopeOf } from './support.ts';

const unexpected = (problem: TemplateProblem): never => assert.fail(problem.message);

async function filled(
  value: unknown,
  body: unknown = {},
  mode: TemplateMode = 'value',
  variables = {},
): Promise<unknown> {
  return compileTemplate(value, mode, unexpected).evaluate(scopeOf(body, variables));
}

async function failureOf(value: unknown, body: unknown, mode: TemplateMode = 'value'): Promise<Failure> {
  try {
    assert.fail(`it yielded ${JSON.stringify(await filled(value, body, mode))}`);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function problemsOf(value: unknown, mode: TemplateMode = 'value'): readonly TemplateProblem[] {
  const found: TemplateProblem[] = [];
  compileTemplate(value, mode, (problem) => found.push(problem));
  return found;
}

test('a text that is one hole keeps the type of its value', async () => {
  const body = { n: 1.5, yes: true, no: null, list: [1, 2], map: { a: 1 }, text: 't' };
  for (const [key, value] of Object.entries(body)) assert.deepEqual(await filled(`\${{ ${key} }}`, body), value);
  assert.equal(await filled('${{ n > 1 }}', body), true);
});

test('holes among text are joined as text', async () => {
  const body = { n: 1.5, yes: true, no: null, list: [1, 'a'], map: { a: 1 }, text: 't' };
  assert.equal(await filled('n=${{ n }}, ${{ yes }} ${{ no }}', body), 'n=1.5, true null');
  assert.equal(await filled('${{ list }}${{ map }}', body), '[1,"a"]{"a":1}');
  assert.equal(await filled(' ${{ text }}', body), ' t');
  assert.equal(await filled('${{ text }}${{ text }}', body), 'tt');
});

test('a hole that yields nothing takes its key or element along', async () => {
  const template = {
    keep: 1,
    gone: '${{ missing }}',
    list: ['a', '${{ missing }}', '${{ n }}'],
    deep: { gone: '${{ missing }}' },
  };
  assert.deepEqual(await filled(template, { n: 2 }), { keep: 1, list: ['a', 2], deep: {} });
  assert.equal(await filled('${{ missing }}'), undefined);
  assert.deepEqual(await filled({ a: '${{ no }}' }, { no: null }), { a: null });
});

test('a hole that yields nothing inside joined text is an error that names it', async () => {
  const error = await failureOf('Hello ${{ customer.name }}!', {});
  assert.equal(error.code, 'no-value');
  assert.match(error.message, /customer\.name/);
});

test('a hole that fails is an error of the message', async () => {
  assert.equal((await failureOf('${{ a + 1 }}', { a: 'x' })).code, 'expression');
  assert.equal(
    (await failureOf({ deep: ['${{ $map([a], function($x){ $x + 1 }) }}'] }, { a: 'x' })).code,
    'expression',
  );
});

test('values without holes are the template itself, known when it is compiled', () => {
  for (const value of [1, true, null, 'text', 'a $ b {{ c }}', ['a', { b: 1 }], {}]) {
    const template = compileTemplate(value, 'value', unexpected);
    assert.deepEqual(template.constant, { value });
    assert.deepEqual(template.expressions, []);
    assert.equal(template.looksAtBody, false);
  }
  assert.equal(compileTemplate('${{ 1 }}', 'value', unexpected).constant, undefined);
});

test('`$${{` is a literal `${{`', async () => {
  assert.deepEqual(compileTemplate('$${{ a }}', 'value', unexpected).constant, { value: '${{ a }}' });
  assert.equal(await filled('$${{ a }} ${{ a }}', { a: 1 }), '${{ a }} 1');
  assert.equal(await filled('$ ${ $$ ${{ a }}', { a: 1 }), '$ ${ $$ 1');
});

test('braces, quotes, comments and patterns inside a hole do not end it', async () => {
  const body = { a: 'x}}y', b: { c: 1 } };
  assert.deepEqual(await filled('${{ {"k": {"l": 1}} }}', body), { k: { l: 1 } });
  assert.deepEqual(await filled('${{{"k": {"l": 1}}}}', body), { k: { l: 1 } });
  assert.equal(await filled('${{ a = "x}}y" }}', body), true);
  assert.equal(await filled("${{ a = 'x}}y' }}!", body), 'true!');
  assert.equal(await filled('${{ b /* }} */ .c }}', body), 1);
  assert.equal(await filled('${{ $contains(a, /\\}\\}"?y/) }}', body), true);
  assert.equal(await filled('${{ b.c / 2 }} and ${{ b.c }}', body), '0.5 and 1');
  assert.equal(await filled('${{ "\\"}}" }}', body), '"}}');
});

test('holes are found with their places', () => {
  assert.deepEqual(holes('a ${{ b }} $${{ c }} ${{d}}'), [
    { start: 2, end: 10, source: ' b ' },
    { start: 21, end: 27, source: 'd' },
  ]);
  assert.deepEqual(holes('no ${b} {{ c }}'), []);
});

test('every problem is told, with its place', () => {
  const template = {
    'k${{ x }}': 1,
    list: ['ok', 'a ${{ b = }} ${{ c'],
    deep: { text: 'x ${{  == }}' },
  };
  assert.deepEqual(
    problemsOf(template).map(({ path, offset }) => ({ path, offset })),
    [
      { path: ['k${{ x }}'], offset: 1 },
      { path: ['list', 1], offset: 9 },
      { path: ['list', 1], offset: 13 },
      { path: ['deep', 'text'], offset: 7 },
    ],
  );
  assert.deepEqual(problemsOf(1, 'path'), [{ path: [], offset: 0, message: 'A path is text' }]);
});

test('the expressions of a template know where they stand', () => {
  const text = 'x ${{  $found.a }} ${{ b }}';
  const { expressions, looksAtBody } = compileTemplate({ l: [text] }, 'value', unexpected);
  assert.equal(looksAtBody, true);
  assert.deepEqual(
    expressions.map(({ expression, path, offset }) => ({
      source: expression.source,
      path,
      at: text.slice(offset, offset + 1),
    })),
    [
      { source: '$found.a', path: ['l', 0], at: '$' },
      { source: 'b', path: ['l', 0], at: 'b' },
    ],
  );
});

test('parts that take their time are waited for in order', async () => {
  const body = { a: [1, 2], t: 'x' };
  const slow = '${{ $map(a, function($x){ $x + 1 }) }}';
  assert.deepEqual(await filled({ first: '${{ t }}', slow, list: [slow, '${{ t }}'] }, body), {
    first: 'x',
    slow: [2, 3],
    list: [[2, 3], 'x'],
  });
  assert.equal(await filled(`a ${slow} \${{ t }}`, body), 'a [2,3] x');
});

test('`__proto__` in a template is a key like any other', async () => {
  const made = await filled(JSON.parse('{ "__proto__": { "a": "${{ x }}" } }'), { x: 1 });
  assert.equal(JSON.stringify(made), '{"__proto__":{"a":1}}');
  assert.equal(({} as { a?: unknown }).a, undefined);
});

const paths: readonly (readonly [template: string, body: unknown, path: string])[] = [
  ['/orders/${{ id }}', { id: 'A 1/2?x#y%' }, '/orders/A%201%2F2%3Fx%23y%25'],
  ['/orders/${{ id }}', { id: 17 }, '/orders/17'],
  ['/orders/${{ id }}', { id: false }, '/orders/false'],
  ['/${{ id }}/${{ $segments(rest) }}', { id: 'ü', rest: 'a b/c' }, '/%C3%BC/a%20b/c'],
  ['/x/${{ id }}', { id: "a!'()*b" }, '/x/a%21%27%28%29%2Ab'],
  ['/x?q=${{ id }}&r=1', { id: 'a&b=c/..' }, '/x?q=a%26b%3Dc%2F..&r=1'],
  ['/x/v${{ id }}.json', { id: '..' }, '/x/v...json'],
  ['/x/${{ id }}', { id: '\ud800' }, '/x/%EF%BF%BD'],
  ['${{ $segments(p) }}', { p: 'a/b' }, 'a/b'],
  ['/a/../b', {}, '/a/../b'],
];

for (const [template, body, path] of paths) {
  test(`${template} with ${JSON.stringify(body)} is the path ${path}`, async () => {
    assert.equal(await filled(template, body, 'path'), path);
  });
}

const refused: readonly (readonly [template: string, body: unknown, code: string, message: RegExp])[] = [
  ['/orders/${{ id }}', {}, 'no-value', /id/],
  ['/orders/${{ id }}', { id: '..' }, 'bad-request', /`\.` or `\.\.`/],
  ['/orders/${{ id }}', { id: '.' }, 'bad-request', /`\.` or `\.\.`/],
  ['/orders/.${{ id }}', { id: '.' }, 'bad-request', /`\.` or `\.\.`/],
  ['/orders/${{ id }}', { id: '%2e%2E' }, 'bad-request', /`\.` or `\.\.`/],
  ['/orders/${{ id }}', { id: '%252e%252e' }, 'bad-request', /`\.` or `\.\.`/],
  ['/orders/${{ id }}', { id: 'a/../../b' }, 'bad-request', /`\.` or `\.\.`/],
  ['/orders/${{ id }}', { id: '..\\b' }, 'bad-request', /`\.` or `\.\.`/],
  ['/files/${{ $segments(p) }}', { p: 'a/../../etc/passwd' }, 'bad-request', /`\.` or `\.\.`/],
  ['/files/${{ $segments(p) }}', { p: 'a//b' }, 'bad-request', /empty/],
  ['/orders/${{ id }}/lines', { id: '' }, 'bad-request', /empty/],
  ['/orders/${{ id }}', { id: null }, 'bad-request', /yielded null where text was needed/],
  ['/orders/${{ id }}', { id: [1] }, 'bad-request', /yielded a list where text was needed/],
  ['/orders/${{ id }}', { id: { a: 1 } }, 'bad-request', /yielded an object where text was needed/],
];

for (const [template, body, code, message] of refused) {
  test(`${template} with ${JSON.stringify(body)} is refused: ${code}`, async () => {
    const error = await failureOf(template, body, 'path');
    assert.equal(error.code, code);
    assert.match(error.message, message);
  });
}

test('outside of a path `$segments` is only its text', async () => {
  assert.deepEqual(await filled({ a: '${{ $segments(p) }}', b: 'x ${{ $segments(p) }}' }, { p: 'a/b' }), {
    a: 'a/b',
    b: 'x a/b',
  });
});

test('a hole of a topic is one level, or a part of one', async () => {
  const body = { site: 'north 1/2', id: 7, level: 'ä', deep: 'a/b' };
  assert.equal(await filled('s/${{ id }}/x-${{ level }}', body, 'topic'), 's/7/x-ä');
  assert.equal(await filled('s/${{ $segments(deep) }}', body, 'topic'), 's/a/b');
  const error = await failureOf('s/${{ site }}', body, 'topic');
  assert.equal(error.code, 'validation');
  assert.match(error.message, /would add a level.*\$segments/);
});

test('no hole of a topic brings a wildcard, a NUL, an empty level or the topics of the broker', async () => {
  const refused = async (template: string, x: unknown): Promise<string> =>
    (await failureOf(template, { x }, 'topic')).message;
  assert.match(await refused('s/${{ x }}', '+'), /`\+`/);
  assert.match(await refused('s/${{ x }}', 'a#'), /`#`/);
  assert.match(await refused('s/${{ x }}', 'a\0'), /a control character/);
  assert.match(await refused('s/${{ x }}', ''), /empty/);
  assert.match(await refused('s/${{ $segments(x) }}', 'a//b'), /empty/);
  assert.match(await refused('s/${{ $segments(x) }}', 'a/#'), /`#`/);
  assert.match(await refused('s/${{ x }}', [1]), /a list/);
  assert.match(await refused('s/${{ missing }}', 1), /yielded nothing/);
  assert.match(await refused('${{ x }}/a', '$SYS'), /belongs to the broker/);
  assert.equal(await filled('$aws/things/${{ x }}', { x: 'a' }, 'topic'), '$aws/things/a');
});

test('a hole of a subject is one token, or a part of one; nothing in it adds a token or a wildcard', async () => {
  const body = { id: 7, country: 'de', deep: 'a.b' };
  assert.equal(await filled('orders.${{ country }}.n-${{ id }}', body, 'subject'), 'orders.de.n-7');
  assert.equal(await filled('orders.${{ $segments(deep) }}', body, 'subject'), 'orders.a.b');
  const refused = async (template: string, x: unknown): Promise<string> =>
    (await failureOf(template, { x }, 'subject')).message;
  assert.match(await refused('s.${{ x }}', 'a.b'), /would add a token.*\$segments/);
  assert.match(await refused('s.${{ x }}', '>'), /`>`/);
  assert.match(await refused('s.${{ x }}', 'a*'), /`\*`/);
  assert.match(await refused('s.${{ x }}', 'a b'), /a blank/);
  assert.match(await refused('s.${{ x }}', 'a\r\nPUB'), /a blank/);
  assert.match(await refused('s.${{ x }}', ''), /empty/);
  assert.match(await refused('s.${{ $segments(x) }}', 'a..b'), /empty/);
  assert.match(await refused('${{ $segments(x) }}', '$JS.API'), /belongs to the broker/);
});

test('a hole of a routing key is one word, or a part of one; nothing in it adds a word or a wildcard', async () => {
  const body = { id: 7, country: 'de', deep: 'a.b' };
  assert.equal(await filled('order.${{ country }}.n-${{ id }}', body, 'routing-key'), 'order.de.n-7');
  assert.equal(await filled('order.${{ $segments(deep) }}', body, 'routing-key'), 'order.a.b');
  assert.equal(await filled('New ${{ country }}', body, 'routing-key'), 'New de');
  const refused = async (template: string, x: unknown): Promise<string> =>
    (await failureOf(template, { x }, 'routing-key')).message;
  assert.match(await refused('o.${{ x }}', 'a.b'), /would add a word.*\$segments/);
  assert.match(await refused('o.${{ x }}', '#'), /`#`/);
  assert.match(await refused('o.${{ x }}', 'a*'), /`\*`/);
  assert.match(await refused('o.${{ x }}', 'a\n'), /a control character/);
  assert.match(await refused('o.${{ x }}', ''), /left a word empty/);
  assert.match(await refused('o.${{ x }}', null), /null/);
  assert.match(await refused('o.${{ $segments(x) }}', 'a..b'), /left a word empty/);
  assert.match(await refused('${{ $segments(x) }}', 'amq.rabbitmq.reply-to'), /belongs to the broker/);
  assert.match(await refused('am${{ $segments(x) }}', 'q.gen-1'), /belongs to the broker/);
  assert.match(await refused('o.${{ x }}', 'ü'.repeat(127)), /longer than 255 bytes/);
});

test('a hole of a name in Redis is a part between colons', async () => {
  const body = { id: 7, tenant: 'shop', deep: 'a:b' };
  assert.equal(await filled('orders:${{ tenant }}:${{ id }}', body, 'key'), 'orders:shop:7');
  assert.equal(await filled('orders:${{ $segments(deep) }}', body, 'key'), 'orders:a:b');
  const refused = async (template: string, x: unknown): Promise<string> =>
    (await failureOf(template, { x }, 'key')).message;
  assert.match(await refused('o:${{ x }}', 'a:b'), /would add a part.*\$segments/);
  assert.match(await refused('o:${{ x }}', 'a b'), /a blank/);
  assert.match(await refused('o:${{ x }}', 'a\0'), /a control character/);
  assert.match(await refused('o:${{ x }}', ''), /left a part empty/);
  assert.match(await refused('o:${{ x }}', 'x'.repeat(511)), /longer than 512 bytes/);
  assert.match(await refused('${{ $segments(x) }}', '__keyevent@0__:del'), /belongs to the broker/);
});
