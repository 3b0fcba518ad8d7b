import { connectorDefinitions } from '../../connectors/index.ts';
import type { IntegrationSource } from '../core/written.ts';
import { compile } from '../flow/compile.ts';
import type { Program } from '../flow/program.ts';
import { type Diagnostic, sortDiagnostics } from '../integration/diagnostic.ts';
import { loadIntegration } from '../integration/load.ts';
import { compileJsonSchema } from '../schema/validator.ts';
import { steps } from '../steps/index.ts';

export interface Prepared {
  /** `undefined` when there are errors. */
  readonly program: Program | undefined;
  readonly source: IntegrationSource | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** The integration and every file it refers to. */
  readonly files: readonly string[];
}

export interface PrepareOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `optional`: values of `config` that are not set are no findings, as in CI. */
  readonly config: 'required' | 'optional';
  /** JSON Schemas are taken as they are when they compile: for a quick start. */
  readonly trustSchemas?: boolean;
  /** What steps do is recorded, where the trace of a message is. */
  readonly traced?: boolean;
  /** To be read in the place of the files, by absolute path. */
  readonly texts?: ReadonlyMap<string, string>;
}

/** Load and compile: everything that `validate` does, and `run` does before it opens anything. */
export async function prepare(file: string, options: PrepareOptions): Promise<Prepared> {
  const kinds = { steps, connectors: connectorDefinitions };
  const loaded = await loadIntegration(file, kinds, options, options.texts);
  const found = [...loaded.diagnostics];
  const program =
    loaded.source &&
    compile(loaded.source, {
      connectors: connectorDefinitions,
      jsonSchema: (schema) => compileJsonSchema(schema, options.trustSchemas),
      traced: options.traced === true,
      report: (finding) => {
        if (!loaded.follows(finding)) found.push(loaded.locate(finding));
      },
    });
  const diagnostics = sortDiagnostics(found);
  const broken = diagnostics.some((one) => one.severity === 'error');
  return { program: broken ? undefined : program, source: loaded.source, diagnostics, files: loaded.files };
}
