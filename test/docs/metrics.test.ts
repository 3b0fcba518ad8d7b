import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { root } from '../support/child-process.ts';

const name = /\b(?:dowel|process|nodejs|http_server)_[a-z0-9]+(?:_[a-z0-9]+)+\b|\bdowel_info\b/g;

test('the page of the metrics names all that there are, and no other', () => {
  const sources = globSync(['src/**/*.ts', 'connectors/**/*.ts'], { cwd: root });
  const quoted = sources
    // An example of a table of the database.
    .filter((file) => file !== 'src/store/options.ts')
    .flatMap((file) =>
      [...readFileSync(`${root}${file}`, 'utf8').matchAll(/'((?:dowel|process|nodejs|http_server)_[a-z0-9_]+)'/g)].map(
        ([, one]) => one,
      ),
    );
  const described = readFileSync(`${root}docs/metrics.md`, 'utf8').match(name) ?? [];
  assert.deepEqual([...new Set(described)].sort(), [...new Set(quoted)].sort());
});
