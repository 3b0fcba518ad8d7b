import type { Readable, Transform } from 'node:stream';
import { type Failure, failure } from '#sdk';

/**
 * We never ask for compressed answers; a service that compresses anyway is understood, so that a body somebody looks at
 * is never a gzip file. Bounded by back-pressure, and by `maxResponse` where the result is collected.
 */
export function decodeContent(stream: Readable, encoding: string, endpoint: string): Readable {
  const coders = encoding
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one !== 'identity');
  let current = stream;
  // The last one named was applied last (RFC 9110 §8.4).
  for (const coder of coders.reverse()) current = chain(current, decoder(coder, endpoint));
  return current;
}

/** Known encodings; an unknown one is an error of the answer. */
function decoder(name: string, endpoint: string): Transform {
  const zlib = process.getBuiltinModule('node:zlib');
  switch (name) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip();
    case 'deflate':
      return zlib.createInflate();
    case 'br':
      return zlib.createBrotliDecompress();
    case 'zstd':
      return zlib.createZstdDecompress();
    default:
      throw unknownEncoding(name, endpoint);
  }
}

const unknownEncoding = (name: string, endpoint: string): Failure =>
  failure('invalid-response', { endpoint, detail: `its content encoding ${JSON.stringify(name)} is not known` });

// Like stream.pipeline, both ways, without its callbacks: an error or an early end on either side ends the other.
function chain(from: Readable, to: Transform): Transform {
  from.on('error', (error) => to.destroy(error));
  from.on('close', () => {
    if (!from.readableEnded) to.destroy();
  });
  to.on('close', () => from.destroy());
  return from.pipe(to);
}
