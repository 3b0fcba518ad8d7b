import type { Slot } from '#sdk';
import { addressProblem } from './address.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { AmqpEndpointOptions, AmqpSourceOptions, QueueOptions } from './definition.ts';

type Report = (at: string, message: string, suggestion?: string) => void;

/** What only this connector can find wrong in its options, while validating. Options with other mistakes may be partial. */
export function check(options: unknown, report: Report, slot: Slot): void {
  if (slot === 'source') checkSource(options as Partial<AmqpSourceOptions>, report);
  else if (slot === 'endpoint') checkEndpoint(options as Partial<AmqpEndpointOptions>, report);
  else checkCall(options as Readonly<Record<string, unknown>>, report);
}

function checkSource(options: Partial<AmqpSourceOptions>, report: Report): void {
  checkConnection(options, report);
  if (options.declare) checkQueue(options.declare, options, report);
  if (options.exclusive && !options.declare?.passive && options.declare?.type !== 'classic') {
    report(
      'exclusive',
      'a quorum queue has no exclusive readers: give `declare: { arguments: { x-single-active-consumer: true } }` instead, or `declare: { type: classic }`',
    );
  }
  for (const [index, { headers, routingKey }] of (options.bind ?? []).entries()) {
    if (headers && routingKey)
      report(
        `bind/${index}/routingKey`,
        'a headers exchange does not look at routing keys: give `headers` or `routingKey`, not both',
      );
  }
  if (options.queue?.startsWith('amq.'))
    report('queue', 'names that begin with `amq.` belong to the broker: choose another');
}

function checkQueue(queue: QueueOptions, { queue: name }: Partial<AmqpSourceOptions>, report: Report): void {
  if (queue.passive) {
    const given = (['exclusive', 'autoDelete', 'arguments'] as const).find((key) => queue[key]);
    const said = given ?? (queue.durable === false ? 'durable' : undefined);
    if (said) report(`declare/${said}`, `\`passive: true\` only checks that \`${name}\` is there: drop \`${said}\``);
    return;
  }
  const type = queue.arguments?.['x-queue-type'];
  if (type !== undefined) {
    const known = type === 'quorum' || type === 'classic';
    const instead = known ? `write \`type: ${type}\`` : 'only quorum and classic queues can be read';
    report('declare/arguments/x-queue-type', `the type of a queue has an option of its own: ${instead}`);
  }
  if (queue.type === 'classic') return;
  const impossible = queue.exclusive ? 'exclusive' : queue.autoDelete ? 'autoDelete' : undefined;
  if (impossible) {
    report(`declare/${impossible}`, `a quorum queue cannot have \`${impossible}: true\`: add \`type: classic\``);
  } else if (queue.durable === false) {
    report('declare/durable', 'a quorum queue is always durable: add `type: classic`, or drop `durable: false`');
  }
}

function checkEndpoint(options: Partial<AmqpEndpointOptions>, report: Report): void {
  checkConnection(options, report);
  const { exchange } = options;
  if (!exchange) return;
  if (exchange.type === undefined) {
    const said = exchange.arguments ? 'arguments' : exchange.autoDelete ? 'autoDelete' : undefined;
    const given = said ?? (exchange.durable === false ? 'durable' : undefined);
    if (given) {
      report(
        `exchange/${given}`,
        `without \`type\` the exchange \`${exchange.name}\` is only checked, not made: add \`type\`, or drop \`${given}\``,
      );
    }
  }
}

function checkCall(options: Readonly<Record<string, unknown>>, report: Report): void {
  const { value } = (options['priority'] ?? {}) as { readonly value?: unknown };
  if (typeof value === 'number' && (value < 0 || value > 255)) report('priority', 'a priority is 0 to 255');
}

/** The default exchange takes the name of a queue for a routing key, and no queue is without a name. */
export function lacks(endpoint: unknown, call: Readonly<Record<string, unknown>>): readonly string[] {
  const { exchange, routingKey } = endpoint as Partial<AmqpEndpointOptions>;
  const { value } = (call['routingKey'] ?? { value: routingKey }) as { readonly value?: unknown };
  return exchange || (value !== undefined && value !== '') ? [] : ['routingKey'];
}

function checkConnection(options: Partial<ConnectionOptions>, report: Report): void {
  const { url, tls, auth } = options;
  const urls = url === undefined ? [] : typeof url === 'string' ? [url] : url;
  for (const [index, one] of urls.entries()) {
    const at = typeof url === 'string' ? 'url' : `url/${index}`;
    const problem = addressProblem(one);
    if (problem) report(at, problem.message, problem.suggestion);
    else if (options.username !== undefined && new URL(one).username !== '')
      report('username', 'the URL names a user already: give one of the two');
    else if (options.password !== undefined && new URL(one).password !== '')
      report('password', 'the URL has a password already: give one of the two');
  }
  if (options.heartbeat !== undefined && (options.heartbeat < 1000 || options.heartbeat % 1000 !== 0))
    report('heartbeat', 'heartbeats are counted in whole seconds, at least `1s`');
  const plain = urls.find((one) => one.startsWith('amqp:'));
  if (tls && plain !== undefined) report('tls', 'there is no TLS over `amqp:`: write `amqps:` in `url`, or drop `tls`');
  if (tls?.cert && !tls.key) report('tls', '`cert` needs its private key: add `key`');
  if (tls?.key && !tls.cert) report('tls', '`key` needs the certificate it belongs to: add `cert`');
  if (auth !== 'certificate') return;
  if (!tls?.cert) report('auth', '`certificate` needs a certificate of ours: add `tls: { cert: …, key: … }`');
  if (options.password !== undefined) report('password', 'with `auth: certificate` no password is used: drop it');
}
