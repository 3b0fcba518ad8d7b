import { once, type Source, type SourceContext, sleep } from '#sdk';
import { Changes } from './changes.ts';
import { type Claim, Claims, defaultLease } from './claims.ts';
import type { FileSourceOptions } from './definition.ts';
import { systemDetail } from './file-failure.ts';
import { openFolders } from './folders.ts';
import { compileGlob } from './glob.ts';
import { Lanes } from './lanes.ts';
import { type Found, Listing } from './listing.ts';
import { resume, type Workshop, workOn } from './work.ts';

/** Looks at the folder every so often and hands its files to the flow, at most `concurrency` at a time. */
export async function openSource(options: FileSourceOptions, context: SourceContext): Promise<Source> {
  const { clock, random, log, name: flow } = context;
  const folders = await openFolders(options, flow);
  const claims = await Claims.open(options.path, clock, random, { lease: defaultLease });
  const accepts = compileGlob(options.glob);
  const listing = new Listing(options.path, accepts, options.settle, clock);
  const stopping = new AbortController();
  const shop: Workshop = { options, context, folders, claims, stopping: stopping.signal };
  const lanes = new Lanes(context.concurrency ?? 1);
  const told = new Changes();

  const begin = async (file: Found): Promise<void> => {
    // The list may be old by now: somebody may have begun to write to the file again.
    if (!(await listing.unchanged(file))) return;
    const claim = await claims.take(file.path, file.name).catch((thrown: unknown) => {
      const detail = systemDetail(thrown);
      if (told.isNew(file.name, detail)) log.error('A file cannot be taken', { flow, file: file.name, detail });
    });
    if (claim) await workOn(claim, shop);
  };

  const look = async (): Promise<{ work: readonly (() => Promise<void>)[]; wait: number }> => {
    try {
      const { ready, wait = options.every, refused } = await listing.look();
      // Last, for what it takes over is ours from then on.
      const left = await claims.recover(accepts);
      if (told.isNew('', '')) log.info('The folder can be looked at again', { flow, path: options.path });
      for (const { name, detail } of refused) {
        if (told.isNew(name, detail)) log.error('A file cannot be taken', { flow, file: name, detail });
      }
      const work = [
        ...left.map((claim: Claim) => () => resume(claim, shop)),
        ...ready.map((file) => () => begin(file)),
      ];
      return { work, wait: Math.min(wait, options.every) };
    } catch (thrown) {
      const detail = systemDetail(thrown);
      if (told.isNew('', detail)) log.error('The folder cannot be looked at', { flow, path: options.path, detail });
      return { work: [], wait: options.every };
    }
  };

  const unexpected = (thrown: unknown): void =>
    log.error('A file is left claimed until this process ends', { flow, detail: systemDetail(thrown) });

  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const since = clock.monotonic();
      const { work, wait } = await look();
      for (const one of work) {
        await lanes.free();
        if (stopping.signal.aborted) return;
        lanes.run(() => one().catch(unexpected));
      }
      const left = Math.max(0, wait - (clock.monotonic() - since));
      await sleep(clock, left, stopping.signal).catch(() => undefined);
    }
  };

  let cancelLife = (): void => {};
  const live = (): void => {
    cancelLife = clock.after(
      defaultLease / 3,
      () => {
        // A folder that is away is reported by who looks at it.
        void claims.live().catch(() => undefined);
        live();
      },
      true,
    );
  };
  live();
  const watching = watch();

  const close = once(async () => {
    stopping.abort();
    await watching;
    await lanes.idle();
    cancelLife();
    await claims.release().catch((thrown: unknown) => {
      log.warn('Claimed files could not be released: others take them after a while', {
        flow,
        path: options.path,
        detail: systemDetail(thrown),
      });
    });
  });
  return {
    async stop() {
      stopping.abort();
    },
    close,
  };
}
