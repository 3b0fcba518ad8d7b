import { existsSync, statSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { isTestFile } from '../testing/test-file.ts';
import { UsageError } from './usage.ts';

const everywhere = '**/*.test.{yaml,yml}';

/** The test files that a person means: files, folders, patterns; all below here where nothing is said. */
export async function testFiles(named: readonly string[]): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const one of named.length === 0 ? [everywhere] : named) {
    if (!existsSync(one)) {
      if (one !== everywhere && !/[*?[{]/.test(one)) throw new UsageError(`there is no file ${one}`);
      for (const path of await matching(one, named.length === 0)) files.add(path);
    } else if (statSync(one).isDirectory()) {
      for (const path of await matching(join(one, everywhere), false)) files.add(path);
    } else {
      if (!isTestFile(one))
        throw new UsageError(`${one} is no file of tests: their names end with .test.yaml${beside(one)}`);
      files.add(one);
    }
  }
  return [...files];
}

async function matching(pattern: string, all: boolean): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const path of glob(pattern, { exclude: (name) => name === 'node_modules' })) {
    if (isTestFile(path)) found.push(path);
  }
  if (found.length > 0) return found.sort();
  throw new UsageError(
    all
      ? 'there are no tests here: they stand in files whose names end with .test.yaml, beside the integration'
      : `no file of tests matches ${pattern}`,
  );
}

function beside(file: string): string {
  const tests = file.replace(/\.ya?ml$/, '.test.yaml');
  return tests !== file && existsSync(tests) ? `; did you mean ${tests}?` : '';
}
