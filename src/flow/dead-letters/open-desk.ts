import type { Services } from '../../core/exchange.ts';
import type { IntegrationSource } from '../../core/written.ts';
import { detailOf } from '../../errors.ts';
import type { Connector } from '../../sdk.ts';
import type { Store } from '../../store/store.ts';
import type { Generation, Opening } from '../generation.ts';
import type { Program } from '../program.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Definition } from './definition.ts';
import { notReplayable } from './refusals.ts';
import { Replays } from './replays.ts';
import { Routes } from './routes.ts';
import { unreadBy } from './unread.ts';

export interface DeskWorld {
  readonly store: Store;
  readonly letters: DeadLetters;
  readonly services: Pick<Services, 'clock' | 'log' | 'codec'>;
  readonly connectors: Readonly<Record<string, Connector>>;
  /** What is running; `undefined` when nothing is. */
  readonly running: () => Generation | undefined;
  /** The definition as it is now. */
  readonly current: () => Program;
  readonly open: (program: Program, opening: Opening) => Promise<Generation>;
  readonly compile: ((definition: Definition, now: IntegrationSource) => Promise<Program | string>) | undefined;
}

export interface Desk {
  readonly replays: Replays;
  readonly routes: Routes;
}

export function openDesk(world: DeskWorld): Desk {
  const { store, letters, services, connectors, running } = world;
  const routes = new Routes({
    services,
    definitions: letters.definitions,
    running,
    current: world.current,
    open: async (program, id) => {
      const beside = running();
      const unread = beside && unreadBy(program, beside.program, connectors);
      if (unread !== undefined) {
        const why = `its definition sends to ${unread}, which no flow of the running one reads`;
        throw notReplayable(id, `${why}. Stop the integration and replay it again: then that flow is opened too`);
      }
      const generation = await world.open(program, beside ? 'endpoints' : 'inside');
      return { generation, close: (drainMs) => closed(generation, drainMs) };
    },
    compile: async (definition, id) => {
      const compiled = await world.compile?.(definition, world.current().source);
      if (compiled === undefined) throw notReplayable(id, 'definitions of before cannot be compiled here');
      if (typeof compiled === 'string') throw notReplayable(id, compiled);
      return compiled;
    },
  });
  // Nobody waits for it.
  letters.definitions.sweep().catch((thrown: unknown) => {
    services.log.debug('definitions that nothing needs were not looked for', { detail: detailOf(thrown) });
  });
  const replays = new Replays({ store, letters, services, route: (found, which) => routes.route(found, which) });
  return { replays, routes };
}

async function closed(generation: Generation, drainMs: number): Promise<number> {
  await generation.stopSources();
  const lost = await generation.drain(drainMs);
  await generation.close();
  return lost;
}
