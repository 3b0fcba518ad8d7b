/** The system behind, in a process of its own: echoes what it is sent, and answers questions with lists. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { partOf } from './payload.ts';

const parts = new Map<string, Buffer>();

/** `{"via":"europe",` in the place of the first brace: who was called can be seen in the answer, at no cost. */
function marked(body: Buffer, via: string): readonly Buffer[] {
  return via === '' ? [body] : [Buffer.from(`{"via":"${via}",`), body.subarray(1)];
}

function echo(request: IncomingMessage, response: ServerResponse, via: string): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const answer = marked(Buffer.concat(chunks), via);
    const length = answer.reduce((sum, piece) => sum + piece.length, 0);
    response.writeHead(200, {
      'content-type': request.headers['content-type'] ?? 'application/octet-stream',
      'content-length': length,
    });
    response.end(answer.length === 1 ? answer[0] : Buffer.concat(answer));
  });
}

function part(path: string, response: ServerResponse): void {
  let body = parts.get(path);
  if (!body) {
    const [, , bytes = '', name = ''] = path.split('/');
    body = Buffer.from(JSON.stringify(partOf(name, Number(bytes))));
    parts.set(path, body);
  }
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

const server = createServer((request, response) => {
  const path = request.url ?? '/';
  if (path.startsWith('/parts/')) part(path, response);
  else if (path.endsWith('/echo')) echo(request, response, path.slice(1, -'/echo'.length));
  else response.writeHead(404).end();
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
