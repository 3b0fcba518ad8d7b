import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { IntegrationSource } from '../core/written.ts';
import { compile } from '../flow/compile.ts';
import type { Program } from '../flow/program.ts';
import { type Diagnostic, sortDiagnostics } from '../integration/diagnostic.ts';
import { loadIntegration } from '../integration/load.ts';
import { jsonSchemas } from '../schema/validator.ts';
import type { Connector } from '../sdk.ts';
import { allWords, type Words, wordsIn } from './words.ts';

export interface Prepared {
  /** `undefined` when there are errors. */
  readonly program: Program | undefined;
  readonly source: IntegrationSource | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** The integration and every file it refers to. */
  readonly files: readonly string[];
  /** Those that it may use. */
  readonly connectors: Readonly<Record<string, Connector>>;
}

export interface PrepareOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `optional`: values of `config` that are not set are no findings, as in CI. */
  readonly config: 'required' | 'optional';
  /** JSON Schemas are taken as they are when they compile: for a quick start. */
  readonly trustSchemas?: boolean;
  /** In the place of {@link jsonSchemas}: what several files have in common is made once. */
  readonly jsonSchema?: ReturnType<typeof jsonSchemas>;
  /** What steps do is recorded, where the trace of a message is. */
  readonly traced?: boolean;
  /** Modules of scripts are checked too, as far as it goes without running them; who runs them finds out anyway. */
  readonly modules?: 'checked';
  /** To be read in the place of the files, by absolute path. */
  readonly texts?: ReadonlyMap<string, string>;
}

/** Load and compile: everything that `validate` does, and `run` does before it opens anything. */
export async function prepare(file: string, options: PrepareOptions): Promise<Prepared> {
  const prepared = await prepareWith(await wordsIn(textOf(file, options)), file, options);
  // Who made a mistake is told what could have been meant: that may be any word.
  return prepared.program ? prepared : prepareWith(await allWords(), file, options);
}

/** Nothing where it cannot be read: the reader says why. */
function textOf(file: string, { texts }: PrepareOptions): string {
  const path = resolve(file);
  try {
    return texts?.get(path) ?? readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function prepareWith({ steps, connectors }: Words, file: string, options: PrepareOptions): Promise<Prepared> {
  const definitions = Object.fromEntries(Object.entries(connectors).map(([name, one]) => [name, one.definition]));
  const loaded = await loadIntegration(file, { steps, connectors: definitions }, options, options.texts);
  const found = [...loaded.diagnostics];
  const program =
    loaded.source &&
    compile(loaded.source, {
      steps,
      connectors: definitions,
      jsonSchema: options.jsonSchema ?? jsonSchemas(options.trustSchemas),
      traced: options.traced === true,
      report: (finding) => {
        if (!loaded.follows(finding)) found.push(loaded.locate(finding));
      },
    });
  if (program && options.modules === 'checked') {
    const { moduleFinding } = await import('../flow/check-module.ts');
    for (const module of program.modules) {
      const text = program.source.texts.get(module.path);
      const finding = text === undefined ? undefined : moduleFinding(module, text);
      if (finding) found.push(loaded.locate(finding));
    }
  }
  const diagnostics = sortDiagnostics(found);
  const broken = diagnostics.some((one) => one.severity === 'error');
  return {
    program: broken ? undefined : program,
    source: loaded.source,
    diagnostics,
    files: loaded.files,
    connectors,
  };
}
