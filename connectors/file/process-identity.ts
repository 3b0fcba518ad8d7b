import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/**
 * Which process claimed a file, written so that another process can tell whether it is still there. A process id alone
 * says nothing: after a restart, in a container, on another machine of a shared folder, the same number is somebody else.
 */
export interface ProcessIdentity {
  readonly host: string;
  /** Of the running kernel; `-` where the system does not say. */
  readonly boot: string;
  /** The process-id namespace: containers may share a host name. */
  readonly namespace: string;
  readonly pid: number;
  /** When the process started, in ticks since boot: tells a reused id from the old one. */
  readonly started: string;
}

interface Stat {
  readonly state: string;
  readonly started: string;
}

/** `undefined` = there is no such process, or no such file system. */
async function statOf(pid: number | 'self'): Promise<Stat | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command's name, in parentheses, may contain anything; the fields begin behind it (proc(5): state is the 3rd).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '-' };
  } catch {
    return undefined;
  }
}

const safe = (text: string): string => text.replace(/[^A-Za-z0-9.-]/g, '-') || '-';

export async function ownIdentity(): Promise<ProcessIdentity> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '-');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '-');
  const started = (await statOf('self'))?.started ?? '-';
  return {
    host: safe(hostname()).slice(0, 63),
    boot: safe(boot.trim().slice(0, 8)),
    namespace: safe(namespace.replace(/\D/g, '')),
    pid: process.pid,
    started,
  };
}

/** As part of a folder's name; `unique` tells several owners in one process apart. */
export const identityText = (identity: ProcessIdentity, unique: string): string =>
  [identity.host, identity.boot, identity.namespace, identity.pid, identity.started, unique].join('_');

export function parseIdentity(text: string): ProcessIdentity | undefined {
  const [host, boot, namespace, pid, started, unique] = text.split('_');
  if (!host || !boot || !namespace || !started || !unique || !/^\d+$/.test(pid ?? '')) return undefined;
  return { host, boot, namespace, pid: Number(pid), started };
}

/** Whether `other` is surely gone. `false` = it lives, or cannot be seen from here (another machine or container). */
export async function surelyDead(other: ProcessIdentity, own: ProcessIdentity): Promise<boolean> {
  if (other.host !== own.host || other.boot !== own.boot || other.namespace !== own.namespace) return false;
  if (own.started !== '-') {
    const stat = await statOf(other.pid);
    return stat === undefined || stat.started !== other.started || stat.state === 'Z' || stat.state === 'X';
  }
  try {
    process.kill(other.pid, 0);
    return false;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH';
  }
}
