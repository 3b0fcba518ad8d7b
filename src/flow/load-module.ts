import { stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { failure } from '../errors.ts';
import { moduleTrouble } from './module-trouble.ts';
import type { ModuleSlot } from './program.ts';

/** Puts the function that a step names into its slot. */
export async function loadModule(slot: ModuleSlot): Promise<void> {
  let module: Readonly<Record<string, unknown>>;
  try {
    // A changed file is read again after a reload; an unchanged one stays the same module for all who use it.
    const { mtimeMs, size } = await stat(slot.path);
    const url = `${pathToFileURL(slot.path).href}?v=${mtimeMs}-${size}`;
    module = (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (thrown) {
    throw failure('startup', { what: `The module ${slot.path}`, detail: moduleTrouble(thrown) }, { cause: thrown });
  }
  const run = module[slot.exportName];
  if (typeof run !== 'function') {
    const names = Object.keys(module).join(', ') || 'nothing';
    throw failure('startup', {
      what: `The module ${slot.path}`,
      detail: `it has no function \`${slot.exportName}\`; it exports ${names}`,
    });
  }
  slot.run = run as (...args: readonly unknown[]) => unknown;
}
