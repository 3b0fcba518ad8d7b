import type { Exchange, Handler } from '../../core/exchange.ts';
import { Life } from '../../core/life.ts';
import { type Failure, toFailure } from '../../errors.ts';
import type { Held } from './group-runner.ts';
import { defaultUndo, undo } from './undo.ts';

/**
 * The message that completed a group goes on with it. The group is removed only when the rest of the flow is done; where
 * that fails the group goes on by itself, and the message, which is safe in it, is acknowledged.
 */
export async function completing(
  whole: Exchange,
  rest: Handler,
  held: Held,
  how: { readonly apart: boolean; readonly awaited: boolean; readonly absorbed: () => Exchange | undefined },
): Promise<Exchange | undefined> {
  const { life } = whole;
  const tell = (error: Failure): void => {
    const { code, kind, place, message: detail } = error;
    const facts = { ...whole.named, code, kind, place, detail };
    whole.services.log.warn('the rest of the flow failed for a complete group, which goes on by itself', facts);
  };
  if (!how.apart) {
    // What it did before it was collected is done, as for those that ended there.
    life.dropUndo();
    life.onSettled(async (error) => {
      if (!error) {
        await held.done();
        return undefined;
      }
      tell(error);
      await held.failed(error);
      // A caller hears of what nothing will heal; what may pass is no matter of the caller's any more.
      const lasting = error.kind === 'permanent' || error.kind === 'bug' || error.kind === 'definition';
      return how.awaited && lasting ? undefined : { instead: how.absorbed() };
    });
    return rest(whole);
  }
  const own = new Life(life.clock, { parent: life, scope: true });
  try {
    const end = await rest(whole.withLife(own));
    own.leaveUndo();
    await held.done();
    return end?.withLife(life);
  } catch (thrown) {
    if (own.suspended) throw thrown;
    const error = toFailure(thrown);
    tell(error);
    await undo(whole.withLife(own), error, defaultUndo);
    await held.failed(error);
    return undefined;
  } finally {
    own.end();
  }
}
