/** `node full-disk.ts FILE`, under a limit of 8 kB a file: what has no room, and what stands in line behind it. */
import { Body, toFailure } from '#sdk';
import { openEndpoint } from '../../../../connectors/file/endpoint.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { outgoing, plainContext } from '../../../support/plain-context.ts';

// Else the limit ends the process instead of failing the write.
process.on('SIGXFSZ', () => {});
const [path = ''] = process.argv.slice(2);
const context = plainContext({ clock: systemClock });
const endpoint = await openEndpoint({ path, sync: false }, context);
const append = { append: true, newline: true };
const send = (text: string, operation: object): Promise<string> =>
  endpoint.handle(outgoing(context, { body: Body.bytes(text, 'text/plain'), operation })).then(
    () => 'written',
    (thrown: unknown) => toFailure(thrown).code,
  );
const filling = await send('x'.repeat(6000), append);
// Together, so that they are one batch.
const [large, small] = await Promise.all([send('y'.repeat(5000), append), send('small', append)]);
const replaced = await send('z'.repeat(100_000), {});
process.stdout.write(JSON.stringify({ filling, large, small, replaced }));
