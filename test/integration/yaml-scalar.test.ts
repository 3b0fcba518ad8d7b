/** Where each character of a value was written, for every way YAML has to write text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { parseYaml } from '../../src/integration/yaml.ts';

const random = seededRandom(7);
const below = (end: number): number => Math.floor(random.next() * end);
const pick = <T>(list: readonly T[], fallback: T): T => list[below(list.length)] ?? fallback;

const words = ['$sum', 'a', '(b)', 'ü', '😀', '1.5', '{x}', '&', "it's", 'é'];
const line = (): string => Array.from({ length: 1 + below(4) }, () => pick(words, 'a')).join(' ');

/** Random lines, some empty, some indented further; the first is text. */
function lines(indented: boolean): readonly string[] {
  const rest = Array.from({ length: below(5) }, () =>
    pick(['', line(), line(), indented ? `  ${line()}` : line()], line()),
  );
  return [line(), ...rest, line()];
}

const block = (header: string, newline: string) => (): string =>
  `${header}${newline}${lines(true)
    .map((one) => (one === '' ? '' : `    ${one}`))
    .join(newline)}`;

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('ü', '\\u00fc').replaceAll('😀', '\\U0001F600');

const styles: Readonly<Record<string, () => string>> = {
  literal: block('|', '\n'),
  'literal with CR LF': block('|', '\r\n'),
  'literal, no line end kept': block('|-', '\n'),
  'literal, all line ends kept': block('|+', '\n'),
  folded: block('>', '\n'),
  'folded with CR LF': block('>', '\r\n'),
  'folded, no line end kept': block('>-', '\n'),
  plain: () =>
    `x${lines(false)
      .join('\n    ')
      .replaceAll(/[&{}']/g, 'y')}`,
  single: () => `'${lines(false).join('\n    ').replaceAll("'", "''")}'`,
  double: () => `"${escaped(lines(false).join('\n    '))}"`,
};

for (const [style, write] of Object.entries(styles)) {
  test(style, () => {
    for (let round = 0; round < 300; round++) {
      const source = `before: 1\nkey: ${write()}\nafter: 2\n`;
      const { root, span } = parseYaml(source);
      const node = root?.kind === 'map' ? root.entries.find((entry) => entry.key === 'key')?.value : undefined;
      assert.ok(node?.kind === 'scalar', source);
      for (let index = 0; index < node.text.length; index++) {
        const at = span('/key', 'value', index)?.start ?? -1;
        const character = node.text[index] ?? '';
        const written = source[at] ?? '';
        // A space or a line end may stand for folded ones, and an escape for what it stands for.
        const fits = /\s/.test(character) ? /\s/.test(written) : written === character || written === '\\';
        assert.ok(fits, `${JSON.stringify(source)}: ${index} (${character}) is at ${at} (${written})`);
      }
      const ends = span('/key', 'value', node.text.length);
      assert.equal(ends?.start, ends?.end);
    }
  });
}
