import type { Exchange } from '../../core/exchange.ts';
import { hashed, keyText } from './key.ts';

/** How the option is described, wherever a step keeps messages. */
export const idOption = {
  type: 'string',
  format: 'expression',
  description:
    'What tells a message from others: one that comes again is not kept twice. Default: what its source knows it by, where it knows something.',
  examples: ['$headers."message-id"'],
} as const;

/** A message that comes again so long after it went on is still known. Milliseconds. */
export const rememberedMs = 3_600_000;

/** What tells the message from others when it comes again; `undefined` where nothing does. `given`: what the file says. */
export function messageId(exchange: Exchange, given: unknown, awaited: boolean): string | undefined {
  const { origin, life, position, id } = exchange;
  // Whoever sends again to a source that answers sends another message.
  const known = keyText(given) ?? origin.key ?? (awaited && !life.journal ? undefined : id);
  return known === undefined ? undefined : hashed(`${known} ${position}`);
}
