import { randomUUID } from 'node:crypto';
import { atMost, Link, type OpenSource, once, type Source, type SourceContext } from '#sdk';
import { Cluster } from './cluster.ts';
import { Committer } from './committer.ts';
import type { SourceOptions } from './definition.ts';
import { Fetcher } from './fetcher.ts';
import { Growth } from './growth.ts';
import { Handover } from './handover.ts';
import { clientOptions, farName, type Library, loadLibrary } from './library.ts';
import { Membership } from './membership.ts';
import { offsetAt } from './offsets.ts';
import type { Partition } from './partition.ts';
import { Share } from './share.ts';
import { explain } from './trouble.ts';
import { Turns } from './turns.ts';
import { Voice } from './voice.ts';

const defaultPrefetch = 20;
/** How long stopping waits for the last commit. */
const longestCommit = 2_000;

/** Reads topics as a member of a group: what is fetched is handed over, what is done is committed. */
export const openSource = (async (options: SourceOptions, context: SourceContext): Promise<Source> => {
  const library = await loadLibrary(`The source of the flow \`${context.name}\``);
  const client = clientOptions(options, context);
  const { topics } = options;
  const link: Link<Cluster> = new Link<Cluster>(
    {
      far: farName(options),
      open: async () => {
        const cluster = await Cluster.open(library, client, context.clock);
        try {
          await Promise.all(topics.map((topic) => cluster.leaders(topic)));
          await reading.permitted();
          return cluster;
        } catch (thrown) {
          await cluster.close();
          throw thrown;
        }
      },
      lost: (cluster) => cluster.lost,
      close: (cluster) => cluster.close(),
      explain,
    },
    context,
  );
  const reading: ReturnType<typeof read> = read(library, options, context, link, client);
  try {
    await link.start();
  } catch (thrown) {
    await reading.close();
    throw thrown;
  }
  return reading;
}) satisfies OpenSource;

function read(
  library: Library,
  options: SourceOptions,
  context: SourceContext,
  link: Link<Cluster>,
  client: ReturnType<typeof clientOptions>,
): Source & { readonly permitted: () => Promise<void> } {
  const { clock, log, name: flow } = context;
  const { group, topics } = options;
  const prefetch = options.prefetch ?? Math.max(defaultPrefetch, context.concurrency ?? 1);
  const growth = new Growth(topics);
  const voice = new Voice(log, { flow, group }, () => link.opened !== undefined);
  let fetcher: Fetcher | undefined;

  const at = async (topic: string, partition: number, from: 'earliest' | 'latest'): Promise<bigint> => {
    const cluster = link.opened;
    if (!cluster) throw link.down(flow);
    return offsetAt(library, cluster, topic, partition, from);
  };
  const share: Share = new Share({
    clock,
    membership: () => membership,
    committer: () => committer,
    patience: options.session / 2,
    // What a new partition got before we knew of it is new all the same.
    start: (topic, index) => at(topic, index, growth.isNew(topic, index) ? 'earliest' : options.from),
    opened: () => {
      voice.well('assignment');
      fetcher?.wake(true);
    },
    trouble: (detail) => voice.trouble('assignment', detail),
  });
  const membership: Membership = new Membership(
    library,
    {
      client,
      group,
      instance: options.instance,
      topics,
      session: options.session,
      heartbeat: options.heartbeat,
      assigned: (ours) => share.assigned(ours),
      giveUp: (ours, known) => share.giveUp(ours, known),
      trouble: (detail) => voice.trouble('group', detail),
      well: () => voice.well('group'),
    },
    context,
  );
  const committer = new Committer({
    clock,
    every: options.commitEvery,
    partitions: () => share.partitions,
    commit: async (offsets) => {
      const committed = await membership.commit(offsets);
      if (committed) voice.well('commit');
      return committed;
    },
    trouble: (detail) => voice.trouble('commit', detail),
  });
  const handover = new Handover({
    context,
    group,
    prefetch,
    partitions: () => share.partitions,
    enough: prefetch,
    done: () => committer.note(),
    wake: () => fetcher?.wake(),
  });

  /** Retention took what we had not read, or the topic is another one now. */
  const outOfRange = async (partition: Partition): Promise<void> => {
    const { topic, index, position } = partition;
    const [first, end] = await Promise.all([at(topic, index, 'earliest'), at(topic, index, 'latest')]);
    // It may have gone on, or to somebody else, meanwhile.
    if (partition.lost || partition.position !== position) return;
    const next = position > end && options.from === 'latest' ? end : first;
    const lost = position < first;
    log.error(
      lost ? 'records are gone before they were read' : 'the partition ends before what was read: it begins anew',
      { flow, group, topic, partition: index, offset: Number(position), goesOnWith: Number(next) },
    );
    partition.restart(next);
  };

  const turns = context.share(`kafka:${group}:${options.instance ?? randomUUID()}`, () => new Turns());
  const turn = turns.value.enter();
  let running: Promise<unknown> | undefined;
  const forget = link.onUp((cluster) => {
    fetcher?.stop();
    fetcher = new Fetcher({
      library,
      cluster,
      clock,
      maxBytes: options.maxBytes,
      enough: prefetch,
      partitions: () => share.partitions,
      came: () => {
        voice.well('fetch');
        handover.more();
      },
      outOfRange,
      trouble: (detail) => voice.trouble('fetch', detail),
    });
    fetcher.wake();
    void turn.come.then(() => membership.start());
    running ??= Promise.all([
      committer.run(),
      growth.watch(
        clock,
        () => link.opened,
        () => membership.shareOutAnew(),
      ),
    ]);
  });

  const stop = (): void => {
    handover.stop();
    fetcher?.stop();
  };
  const close = once(async () => {
    stop();
    forget();
    await handover.idle();
    share.stop();
    growth.stop();
    committer.stop();
    if (running) await atMost(clock, longestCommit, committer.flush());
    await membership.leave();
    turn.leave();
    await turns.release();
    await link.close();
  });
  return {
    permitted: () => membership.permitted(),
    get ready() {
      return link.opened !== undefined && membership.ready && share.whole;
    },
    get trouble() {
      if (link.opened === undefined) return link.trouble;
      if (!membership.ready) return voice.about('group') ?? `the group \`${group}\` has not let us in yet`;
      return voice.about('assignment') ?? 'where its partitions begin is not known yet';
    },
    async stop() {
      stop();
    },
    close,
  };
}
