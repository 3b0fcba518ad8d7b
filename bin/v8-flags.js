// Plain JavaScript that any Node of the last years can read: how V8 works while a program starts, and from then on.
import v8 from 'node:v8';

// Linear-time matching when a regular expression backtracks too much: no message can stop the process with one.
const regexps = ['--enable-experimental-regexp-engine-on-excessive-backtracks'];

// By the thread that makes the garbage. With threads of its own V8 pays more for handing over, and for memory that is freed
// where it was not taken, than it gains: the heap is small, and a container has often no second processor. Marking is left
// as it is: turned over while it runs, it ends the process.
const collecting = [
  '--no-concurrent-sweeping',
  '--no-concurrent-array-buffer-sweeping',
  '--no-parallel-compaction',
  '--no-parallel-pointer-update',
  '--no-parallel-scavenge',
];

// Code that starts runs once: optimizing it costs a sixth of the start and 10 MB that stay, and its garbage would make
// the young heap grow for good.
const starting = ['--no-opt', '--no-maglev', '--semi-space-growth-factor=1'];
const running = ['--opt', '--maglev', '--semi-space-growth-factor=2'];
const startedAfterMs = 1000;

const set = (flags) => {
  for (const flag of flags) v8.setFlagsFromString(flag);
};

/** To be called before anything else is loaded. `started`: called just before the flags change. */
export function setFlags(started = () => {}) {
  set([...regexps, ...collecting, ...starting]);
  setTimeout(() => {
    started();
    set(running);
  }, startedAfterMs).unref();
}
