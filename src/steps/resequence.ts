import { Body } from '../core/body.ts';
import { type Exchange, noHeaders, noVariables } from '../core/exchange.ts';
import { failure } from '../errors.ts';
import { hashed, keyText } from './parts/key.ts';
import { idOption, messageId } from './parts/message-id.ts';
import { capacity, storedFor, wait } from './parts/options.ts';
import { lateMessage, Sequencer } from './parts/sequencer.ts';
import { spanOf } from './parts/span-of.ts';
import { type CompileContext, defineStep } from './step.ts';

export const resequence = defineStep({
  name: 'resequence',
  pattern: 'Resequencer',
  summary:
    'Brings messages into the order of their numbers. Each ends here, acknowledged (HTTP 202), as soon as it is in the store, and goes on from there when it is its turn.',
  options: {
    type: 'object',
    properties: {
      by: {
        type: 'string',
        format: 'expression',
        description:
          'What the messages of a stream have in common; each has an order of its own. Without it all are one.',
        examples: ['orderId'],
      },
      sequence: {
        type: 'string',
        format: 'expression',
        description: 'The number of the message in its stream, an integer; the next one has one more.',
        examples: ['version', '$number($headers."x-sequence")'],
      },
      gapTimeout: {
        ...wait,
        description: 'How long a message waits for those before it, at most. Then the stream goes on without them.',
        examples: ['30s'],
      },
      start: {
        type: 'integer',
        minimum: -1_000_000_000,
        maximum: 1_000_000_000,
        description:
          'The number that a stream begins with. Without it the first message waits for `gapTimeout`, and the lowest number that has come by then is the first.',
        examples: [1],
      },
      late: {
        type: 'string',
        enum: ['fail', 'pass'],
        default: 'fail',
        description:
          'A message whose turn is over: the error `late-message`, so that it becomes a dead letter where the source has some; or it goes on out of order.',
      },
      retain: {
        ...storedFor,
        default: '24h',
        description: 'How long a stream is known after its last message has gone on; then it begins anew.',
      },
      id: idOption,
      maxMessages: {
        ...capacity,
        default: 10_000,
        description: 'Messages that wait, of all streams together; one more is the error `resequence-full`.',
      },
    },
    required: ['sequence', 'gapTimeout'],
  },
  compile(options, context) {
    const { gapTimeout, start, late, retain, maxMessages } = options;
    const by = options.by && context.expression(options.by);
    const sequence = context.expression(options.sequence);
    const id = options.id && context.expression(options.id);
    checkPlace(context);
    context.body.look();
    context.store();
    const awaited = context.reply.possible;
    context.nobodyAwaits('what `resequence` lets go on later has no sender that waits');
    const sequencer = new Sequencer(context.identity, { gapTimeout, start, late, retain });

    const numberOf = async (exchange: Exchange): Promise<number> => {
      const given = await sequence(exchange);
      if (typeof given === 'number' && Number.isSafeInteger(given)) return given;
      const detail = given === undefined ? 'it yielded nothing' : 'it yielded no integer';
      throw failure('expression', { expression: options.sequence.text, detail }, { status: 400 });
    };
    const streamOf = async (exchange: Exchange): Promise<string> => {
      const key = by ? keyText(await by(exchange)) : '';
      if (key === undefined) throw failure('no-key', { expression: options.by?.text });
      return hashed(key);
    };
    const absorbed = (exchange: Exchange): Exchange | undefined =>
      awaited ? exchange.with({ body: Body.empty, reply: { status: 202, headers: noHeaders } }) : undefined;

    return {
      around: (rest) => {
        context.later(rest, sequencer);
        return async (exchange) => {
          const stream = await streamOf(exchange);
          const number = await numberOf(exchange);
          const { services, headers, origin, body, id: own } = exchange;
          const message = messageId(exchange, id && (await id(exchange)), awaited);
          const next = (await sequencer.store.next(stream)) ?? start;
          if (next !== undefined && number < next) {
            if (message !== undefined && (await sequencer.store.isKnown(message))) return absorbed(exchange);
            if (late === 'fail') throw lateMessage(number);
            return rest(exchange.with({ variables: noVariables, ownHeaders: noHeaders, response: undefined }));
          }
          if (sequencer.count >= maxMessages) {
            const detail = `${maxMessages} messages wait for their turn (\`maxMessages\`)`;
            throw failure('resequence-full', { detail, retryAfter: 1000 });
          }
          const { key: _, ...known } = origin;
          const contentType = body.wireType(services.codec);
          const kept = { id: own, message, headers, origin: known, contentType, span: spanOf(exchange) };
          const one = { stream, sequence: number, at: services.clock.now() };
          const added = await sequencer.store.add(one, kept, await exchange.bytes());
          if (added === 'taken') throw lateMessage(number);
          if (added === 'added') sequencer.count++;
          sequencer.arrived(one);
          return absorbed(exchange);
        };
      },
    };
  },
});

function checkPlace(context: CompileContext): void {
  context.forgetNames();
  if (context.among !== 'step') return;
  context.report('', {
    code: 'inside-a-step',
    at: 'key',
    message:
      '`resequence` lets messages go on with the rest of its flow, and here that is only the rest of another step. Move it to the steps of the flow itself',
  });
}
