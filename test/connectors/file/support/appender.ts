/** `node appender.ts FILE ID COUNT`: appends lines to a file that others append to as well. */
import { Body } from '#sdk';
import { openEndpoint } from '../../../../connectors/file/endpoint.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { outgoing, plainContext } from '../../../support/plain-context.ts';

const [path = '', id, count] = process.argv.slice(2);
const context = plainContext({ clock: systemClock });
const endpoint = await openEndpoint({ path, sync: false }, context);
for (let n = 0; n < Number(count); n++) {
  const body = Body.value({ id, n, filler: 'x'.repeat((n * 97) % 9000) });
  await endpoint.handle(outgoing(context, { body, operation: { append: true, newline: true } }));
}
await endpoint.close();
