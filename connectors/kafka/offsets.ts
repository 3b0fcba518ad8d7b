import type { Cluster } from './cluster.ts';
import type { Library } from './library.ts';
import { nested } from './trouble.ts';

const which = { earliest: -2n, latest: -1n } as const;
const readCommitted = 1;

/**
 * The offset of the first record that there is, or of the next one that comes. Asked in version 2: brokers of all ages
 * know it, and answer it alike.
 */
export async function offsetAt(
  library: Library,
  cluster: Cluster,
  topic: string,
  partition: number,
  at: 'earliest' | 'latest',
): Promise<bigint> {
  const { partitions } = await cluster.leaders(topic);
  const leader = partitions[partition];
  if (leader === undefined) {
    cluster.doubt();
    throw new library.ProtocolError('LEADER_NOT_AVAILABLE');
  }
  const connection = await cluster.connection(leader);
  try {
    const answer = await library.listOffsetsV2.api.async(connection, -1, readCommitted, [
      // The versions share one type; this one has no epoch on the wire.
      { name: topic, partitions: [{ partitionIndex: partition, timestamp: which[at], currentLeaderEpoch: -1 }] },
    ]);
    return answer.topics[0]?.partitions[0]?.offset ?? 0n;
  } catch (thrown) {
    for (const { hasStaleMetadata } of nested(thrown)) if (hasStaleMetadata === true) cluster.doubt();
    throw thrown;
  }
}
