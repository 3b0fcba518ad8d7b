import { Body } from '../core/body.ts';
import type { Exchange } from '../core/exchange.ts';
import type { Nature } from '../core/journal.ts';
import { Life } from '../core/life.ts';
import { Refrain, type RefrainLine } from '../core/refrain.ts';
import { toFailure } from '../errors.ts';
import { defaultUndo, undo } from './parts/undo.ts';
import { defineStep } from './step.ts';

/** A copy too many does no harm. */
const tapping: Nature = { safe: true, repeatable: true };

const failing: RefrainLine = { level: 'error', message: 'a wire tap failed' };

export const wireTap = defineStep({
  name: 'wireTap',
  pattern: 'Wire Tap',
  summary:
    'Hands a copy of the message to steps beside the flow, which neither waits for them nor feels their failure.',
  options: {
    type: 'object',
    properties: {
      steps: { kind: 'steps', description: 'What the copy goes through.' },
      capacity: {
        type: 'integer',
        minimum: 1,
        maximum: 100000,
        default: 1000,
        description: 'Copies waiting and under way; further ones are dropped, with a warning.',
      },
      parallel: { type: 'integer', minimum: 1, maximum: 100, default: 1, description: 'Copies under way at once.' },
    },
    required: ['steps'],
  },
  compile(options, context) {
    const { uses } = context.body;
    const tapped = context.steps(options.steps, {
      scope: 'inner',
      noReply: 'a wire tap runs beside the flow',
      repeated: true,
    });
    const usesBody = context.body.uses > uses;
    const { capacity, parallel } = options;
    const waiting: Exchange[] = [];
    let running = 0;
    /** On their way in, waiting, and under way. */
    let copies = 0;
    let dropped = 0;
    let failed: Refrain | undefined;

    const run = async (exchange: Exchange): Promise<void> => {
      const life = new Life(exchange.life.clock);
      try {
        await tapped.handler(exchange.withLife(life));
      } catch (thrown) {
        const error = toFailure(thrown);
        await undo(exchange.withLife(life), error, defaultUndo);
        const { code, message: detail, place = context.title } = error;
        failed ??= new Refrain(failing, exchange.services);
        failed.again(`${code} ${place}`, { flow: exchange.flow, place, code }, { ...exchange.named, detail });
      } finally {
        life.discard();
        life.end();
        copies--;
      }
    };
    const lane = async (): Promise<void> => {
      running++;
      for (let next = waiting.shift(); next; next = waiting.shift()) await run(next);
      running--;
    };
    const tap = async (exchange: Exchange): Promise<undefined> => {
      copies++;
      try {
        // The copy must be readable after the flow has passed the body on.
        if (usesBody) await exchange.settle();
      } catch (thrown) {
        copies--;
        throw thrown;
      }
      waiting.push(usesBody ? exchange : exchange.withBody(Body.empty));
      if (running < parallel) exchange.services.background(lane(), `a wire tap of ${exchange.flow}`);
    };
    // Two lines for all that are dropped in a row: a tap that is full must not flood the log.
    const isFull = ({ named, services }: Exchange): boolean => {
      const facts = { ...named, place: context.title };
      if (copies >= capacity) {
        if (dropped++ === 0) services.log.warn('a wire tap is full: copies are dropped', facts);
        return true;
      }
      if (dropped > 0) services.log.warn('a wire tap has room again', { ...facts, dropped });
      dropped = 0;
      return false;
    };
    return async (exchange) => {
      if (isFull(exchange)) return exchange;
      const { journal } = exchange.life;
      if (journal) await journal.effect(exchange.position + context.pointer, exchange, tapping, () => tap(exchange));
      else await tap(exchange);
      return exchange;
    };
  },
});
