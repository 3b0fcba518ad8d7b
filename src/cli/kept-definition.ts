import { readFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type { IntegrationSource } from '../core/written.ts';
import { credentialsOf, type Definition, textsOf } from '../flow/dead-letters/definition.ts';
import type { Program } from '../flow/program.ts';
import { prepare } from './prepare.ts';

/** The definition that gave a message up, compiled with the configuration of now; else why that cannot be. */
export async function compileKept(
  definition: Definition,
  { file }: Pick<IntegrationSource, 'file'>,
  env: Readonly<Record<string, string | undefined>>,
  traced = false,
): Promise<Program | string> {
  const texts = new Map(textsOf(definition, file));
  for (const path of credentialsOf(definition, file)) {
    const text = textAt(path);
    if (text !== undefined) texts.set(path, text);
  }
  const options = { env, config: 'required', trustSchemas: true, texts, traced } as const;
  const { program, diagnostics } = await prepare(file, options);
  if (!program) {
    const [first, ...more] = diagnostics.filter((one) => one.severity === 'error');
    const others = more.length > 0 ? ` (and ${more.length} more)` : '';
    const found = first ? `line ${first.line}: ${first.message}${others}` : 'it cannot be read';
    return `its definition does not work with the configuration, or the Dowel, of today: ${found}`;
  }
  const changed = program.modules.find(({ path }) => textAt(path) !== texts.get(path));
  if (!changed) return program;
  const module = relative(dirname(file), changed.path);
  return `the module ${module} is not what it was then, and code is always that of today. Bring it back, or replay with the current definition`;
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch {
    return undefined;
  }
}
