import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { connectors } from '../../../connectors/index.ts';
import type { IntegrationSource } from '../../core/written.ts';
import { Failure, failure } from '../../errors.ts';
import type { Program } from '../../flow/program.ts';
import { Runtime } from '../../flow/runtime.ts';
import { prettyLog } from '../../operations/logger.ts';
import { sqlitePath } from '../../store/open.ts';
import type { StoreOptions } from '../../store/options.ts';
import { colorful } from '../output.ts';
import { onSignals, services, surroundings } from '../process.ts';
import { emptyDesk } from './empty.ts';
import type { Place } from './place.ts';

/** The store of an integration that does not run. `missing`: why no running one was found. */
export async function openLocal(program: Program, source: IntegrationSource, missing: string): Promise<Place> {
  const store = source.store as StoreOptions | undefined;
  if (store?.memory) {
    const detail = `it is in the memory of the running integration, and ${missing}. ${elsewhere}`;
    throw failure('startup', { what: 'The store', detail });
  }
  const named = { integration: source.name, flows: Object.keys(source.flows) };
  const path = sqlitePath(store, { folder: dirname(source.file), integration: source.name });
  // To look for letters makes no file.
  if (path !== undefined && !existsSync(path)) return { ...named, desk: emptyDesk, close: async () => 0 };
  const { drainTimeout, logLevel } = surroundings(process.env);
  const log = prettyLog({
    level: logLevel ?? 'warn',
    base: {},
    secrets: () => source.secrets,
    color: colorful(process.stderr),
    write: (text) => process.stderr.write(text),
  });
  const runtime = new Runtime(services(log), connectors);
  runtime.standBy(program);
  const ending = new AbortController();
  onSignals((signal) => {
    ending.abort(signal);
    void runtime.stop(drainTimeout);
  });
  try {
    return {
      ...named,
      desk: await runtime.deadLetters(),
      ending: ending.signal,
      close: () => runtime.stop(drainTimeout),
    };
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.code !== 'startup') throw thrown;
    const more = thrown.message.includes('it is in use') ? `. If the integration runs: ${missing}. ${elsewhere}` : '';
    throw failure('startup', { ...thrown.facts, detail: `${thrown.facts['detail']}${more}` }, { cause: thrown });
  }
}

const elsewhere = 'Its log says where it does (`admin listening`); give that as --port';
