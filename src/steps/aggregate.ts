import { Body } from '../core/body.ts';
import { type Exchange, noHeaders, noVariables } from '../core/exchange.ts';
import { failure } from '../errors.ts';
import { type Collected, Collector } from './parts/collector.ts';
import { completing } from './parts/completing.ts';
import { GroupRunner } from './parts/group-runner.ts';
import { hashed, keyText } from './parts/key.ts';
import { idOption, messageId } from './parts/message-id.ts';
import { capacity, wait } from './parts/options.ts';
import { spanOf } from './parts/span-of.ts';
import { type CompileContext, defineStep } from './step.ts';

export const aggregate = defineStep({
  name: 'aggregate',
  pattern: 'Aggregator',
  summary:
    'Collects messages until a group of them is complete; then the list of what they had becomes the body, and the flow goes on once. A message that is only collected ends here, acknowledged (HTTP 202): it is in the store.',
  options: {
    type: 'object',
    properties: {
      by: {
        type: 'string',
        format: 'expression',
        description:
          'What the messages of a group have in common. Without it all are one group. A key of nothing is the error `no-key`.',
        examples: ['orderId', '$headers."x-customer"'],
      },
      complete: {
        type: 'object',
        minItems: 1,
        description: 'When a group is complete: whatever comes first.',
        properties: {
          size: { ...capacity, description: 'So many messages are there.' },
          when: {
            type: 'string',
            format: 'expression',
            description:
              'JSONata over the message that has just come; `true` completes its group. `$source.group` has the `key` of the group and its `size` with this message.',
            examples: ['$source.group.size = expected', 'last = true'],
          },
          idle: {
            ...wait,
            description: 'No message has come for so long.',
          },
          within: {
            ...wait,
            description: 'The first message came so long ago.',
          },
        },
      },
      collect: {
        type: 'string',
        format: 'expression',
        description:
          'What of the message goes into the list; nothing counts, and is not in the list. Default: its body.',
      },
      id: idOption,
      maxGroups: {
        ...capacity,
        default: 10_000,
        description: 'Groups that are not complete; a message that would begin one more is the error `aggregate-full`.',
      },
      maxMessages: {
        ...capacity,
        default: 10_000,
        description: 'Messages of a group; one more that does not complete it is the error `aggregate-full`.',
      },
      maxSize: {
        type: 'string',
        format: 'size',
        default: '16mb',
        description:
          'The list of a group, written as JSON; a message that would make it larger is the error `aggregate-full`.',
      },
    },
    required: ['complete'],
  },
  compile(options, context) {
    checkPlace(context);
    const { complete, maxGroups, maxMessages, maxSize } = options;
    if (complete.size !== undefined && complete.size > maxMessages) {
      context.report('complete/size', {
        code: 'impossible',
        message: `A group has at most ${maxMessages} messages (\`maxMessages\`), so that there are never ${complete.size}`,
      });
    }
    const by = options.by && context.expression(options.by);
    const id = options.id && context.expression(options.id);
    const collect = options.collect && context.expression(options.collect);
    const when = complete.when && context.expression(complete.when);
    if (!collect) context.body.look();
    context.body.replace();
    context.store();
    const runner = new GroupRunner(context.identity, complete);
    const collector = new Collector(runner, { ...complete, when, maxGroups, maxMessages, maxSize });
    const apart = context.among === 'apart';
    const awaited = context.reply.possible;

    const collected = async (exchange: Exchange): Promise<Collected> => {
      const key = by ? keyText(await by(exchange)) : '';
      if (key === undefined) throw failure('no-key', { expression: options.by?.text });
      const value = await (collect ? collect(exchange) : exchange.value());
      const message = messageId(exchange, id && (await id(exchange)), awaited);
      return { key, hash: hashed(key), message, value: JSON.stringify(value) ?? '', span: spanOf(exchange) };
    };
    const absorbed = (exchange: Exchange): Exchange | undefined =>
      awaited ? exchange.with({ body: Body.empty, reply: { status: 202, headers: noHeaders } }) : undefined;

    return {
      mayBeLast: true,
      around: (rest) => {
        context.later(rest, runner);
        return async (exchange) => {
          const completed = await collector.add(await collected(exchange), exchange);
          if (!completed) return absorbed(exchange);
          const { group, held } = completed;
          const { list, links } = await runner.collected(group);
          const own = spanOf(exchange);
          exchange.trace.span?.link(links.filter((one) => one !== own));
          const whole = exchange.with({
            body: Body.value(list),
            variables: noVariables,
            ownHeaders: noHeaders,
            response: undefined,
            origin: collector.originOf(group),
          });
          return completing(whole, rest, held, { apart, awaited, absorbed: () => absorbed(exchange) });
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
      '`aggregate` hands its list to the rest of its flow, and here that is only the rest of another step. Move it to the steps of the flow itself',
  });
}
