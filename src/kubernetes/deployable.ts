import type { FlowSource, IntegrationSource } from '../core/written.ts';
import type { Program } from '../flow/program.ts';
import type { Node } from '../schema/node.ts';
import type { Naming } from './manifest.ts';

/** An integration as it will be in the container: read as if it stood there already, and without the secrets. */
export interface Deployable {
  readonly source: IntegrationSource;
  readonly program: Program;
  /** The file as it is written, before `${NAME}` was replaced. */
  readonly root: Node;
  readonly naming: Naming;
  readonly image: string;
  /** Asked for; `undefined`: two where that is safe. */
  readonly replicas: number | undefined;
  /** Milliseconds. */
  readonly drainTimeout: number;
  /** What the environment says about the process: handed on. */
  readonly processEnv: Readonly<Record<string, string>>;
}

/** Where the definition is in the container. */
export const folder = '/integration';

export const flowsFrom = (source: IntegrationSource, connector: string): readonly FlowSource[] =>
  Object.values(source.flows).filter((flow) => flow.from?.name === connector);

export const listens = (source: IntegrationSource): boolean =>
  flowsFrom(source, 'http').length > 0 || flowsFrom(source, 'soap').length > 0;
