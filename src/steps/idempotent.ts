import type { Exchange } from '../core/exchange.ts';
import { Life } from '../core/life.ts';
import { failure, toFailure } from '../errors.ts';
import { ask, type Claim, type Wanted } from './parts/claim.ts';
import { nothing, resultFrom, resultOf } from './parts/kept-result.ts';
import { fingerprint, hashed, keyText } from './parts/key.ts';
import { storedFor } from './parts/options.ts';
import { defaultUndo, undo } from './parts/undo.ts';
import { type CompileContext, defineStep } from './step.ts';

export const idempotent = defineStep({
  name: 'idempotent',
  pattern: 'Idempotent Receiver',
  summary:
    'Lets the rest of the flow run once for each key: a message that comes again gets the reply that was given the first time.',
  options: {
    type: 'object',
    properties: {
      key: {
        type: 'string',
        format: 'expression',
        description: 'What a repeat has in common with the first. A key of nothing is the error `no-key` (400).',
        examples: ['$headers."idempotency-key"', 'orderId'],
      },
      retain: {
        ...storedFor,
        default: '24h',
        description: 'How long a reply is kept, counted from when it was given.',
      },
      inFlight: {
        ...storedFor,
        default: '1m',
        description:
          'How long a key stays taken when the process dies while its message is under way; until then it is renewed. On the embedded store the next process frees it at once. In a durable flow, whose messages go on, it stays taken for `retain`.',
      },
    },
    required: ['key'],
  },
  compile(options, context) {
    checkPlace(context);
    if (!context.dependsOnMessage(options.key)) {
      context.report('key', {
        severity: 'warning',
        code: 'constant-key',
        message: `\`${options.key.text}\` does not depend on the message: a key must be the same when a message comes again, and differ for all others`,
      });
    }
    const key = context.expression(options.key);
    // What comes again is told from what is new by its body.
    context.body.look();
    const store = context.store();
    const { retain, inFlight } = options;
    const answers = context.reply.possible || context.among === 'apart';
    /** By key: the message that is under way with it in this process, and its end. */
    const underWay = new Map<string, { readonly message: string; readonly over: Promise<void> }>();

    const wantedBy = async (exchange: Exchange): Promise<Wanted> => {
      const text = keyText(await key(exchange));
      if (text === undefined) throw failure('no-key', { expression: options.key.text });
      return {
        store: store(),
        services: exchange.services,
        key: `${context.identity} ${hashed(text)}`,
        owner: exchange.id + exchange.position,
        fingerprint: await fingerprint(exchange),
        durable: exchange.life.journal !== undefined,
        ttl: exchange.life.journal ? Math.max(retain, inFlight) : inFlight,
        retain,
        facts: { ...exchange.named, place: context.title },
      };
    };

    return {
      around: (rest) => {
        const first = async (exchange: Exchange, claim: Claim): Promise<Exchange | undefined> => {
          const outer = exchange.life;
          const life = new Life(outer.clock, { parent: outer, scope: true });
          try {
            const end = await rest(exchange.withLife(life));
            if (isFinal(end)) {
              const start = context.among === 'apart' ? exchange : undefined;
              await claim.keep(answers ? await resultOf(end, start) : nothing);
              // Before what it guards, so that it is undone after it.
              outer.onUndo({ place: context.title, outcome: 'none', run: () => claim.revoke() });
            } else await claim.free();
            life.leaveUndo();
            return end?.withLife(outer);
          } catch (thrown) {
            if (life.suspended) throw thrown;
            const error = toFailure(thrown);
            await undo(exchange.withLife(life), error, defaultUndo);
            await claim.free();
            throw error;
          } finally {
            claim.stop();
            life.end();
          }
        };
        return async (exchange) => {
          const wanted = await wantedBy(exchange);
          for (;;) {
            const asked = await ask(wanted);
            if (asked.is === 'done') {
              exchange.services.log.debug('a repeat got the kept reply', wanted.facts);
              return resultFrom(asked.head, asked.body, exchange);
            }
            if (asked.is === 'taken') {
              const working = first(exchange, asked.claim);
              const over = working.then(ignore, ignore).then(() => void underWay.delete(wanted.key));
              underWay.set(wanted.key, { message: exchange.id, over });
              return working;
            }
            // Rounds of one message would wait for each other's end for ever, were they sent away until the message ends.
            const other = underWay.get(wanted.key);
            if (other?.message !== exchange.id) throw failure('duplicate-in-flight', { retryAfter: 1000 });
            await exchange.life.race(other.over);
          }
        };
      },
    };
  },
});

const ignore = (): void => {};

/** An answer that asks to come again (RFC 9110 §15) is none that a repeat should get. */
function isFinal(end: Exchange | undefined): boolean {
  const status = end?.reply?.status ?? 200;
  return status < 500 && status !== 408 && status !== 425 && status !== 429;
}

function checkPlace(context: CompileContext): void {
  if (context.among !== 'step') return;
  context.report('', {
    code: 'guards-a-part',
    at: 'key',
    message:
      '`idempotent` guards the rest of its flow, and here that is only the rest of another step. Move it to the steps of the flow itself; or put what it is to guard into a sub-flow, with `idempotent` first, and `run` that here',
  });
}
