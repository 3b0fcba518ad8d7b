import type { IntegrationSource } from '../../core/written.ts';
import { failure } from '../../errors.ts';
import type { DeadLetterDesk } from '../../flow/dead-letters/desk.ts';
import { renderText } from '../../integration/render.ts';
import { colorful, say } from '../output.ts';
import { prepare } from '../prepare.ts';
import { portOf, type Values } from './options.ts';
import { type AdminAddress, findAdmin } from './remote.ts';

/** Where the letters of an integration are handled. */
export interface Place {
  readonly desk: DeadLetterDesk;
  readonly integration: string;
  /** Of the file. */
  readonly flows: readonly string[];
  /** Aborted when this command is told to end, with the name of the signal; absent: then it ends at once. */
  readonly ending?: AbortSignal;
  close(): Promise<unknown>;
}

/** The running integration, by its admin server; else its store. `undefined`: the file is wrong, which was said. */
export async function openPlace(file: string, values: Values): Promise<Place | undefined> {
  const port = portOf(values);
  const { program, source, diagnostics } = await prepare(file, {
    env: process.env,
    config: 'required',
    trustSchemas: true,
  });
  if (!program || !source) {
    say(renderText(diagnostics, file, { color: colorful(process.stderr) }));
    return undefined;
  }
  const { admin, name } = source;
  const address: AdminAddress = {
    host: reachable(values.host ?? admin.host),
    port: port ?? admin.port,
    token: admin.token,
  };
  const insists = values.host !== undefined || port !== undefined;
  const found = await findAdmin(address, name);
  const flows = Object.keys(source.flows);
  if ('desk' in found) return { desk: found.desk, integration: name, flows, close: async () => 0 };
  if (insists) throw failure('startup', { what: `The admin server of ${name}`, detail: found.missing });
  const { openLocal } = await import('./local.ts');
  return openLocal(program, source, found.missing);
}

/** Who listens everywhere is reached on this machine. */
function reachable(host: IntegrationSource['admin']['host']): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
