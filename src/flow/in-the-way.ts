import { Failure } from '../errors.ts';
import type { Program } from './program.ts';

/** Whether `next` could not be opened because `now` has its port, at another address or in another way. */
export function isInTheWay(now: Program, next: Program, thrown: unknown): boolean {
  const { port } = next.source.server;
  if (port === 0 || now.source.server.port !== port) return false;
  if (!(thrown instanceof Failure) || thrown.facts['port'] !== port) return false;
  return (thrown.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';
}
