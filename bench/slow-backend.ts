/** A system that can do so much and no more: `slots` requests at a time, `ms` each; the others wait for their turn. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const [slots = 0, ms = 0] = process.argv.slice(2).map(Number);
const waiting: ServerResponse[] = [];
let busy = 0;

function serve(response: ServerResponse): void {
  busy += 1;
  setTimeout(() => {
    busy -= 1;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"served":true}');
    const next = waiting.shift();
    if (next) serve(next);
  }, ms);
}

const server = createServer((_, response) => {
  if (busy < slots) serve(response);
  else waiting.push(response);
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
