/** The context attributes of an event: what it is, without its data. */
import { type Failure, failure } from '../errors.ts';

export type Attributes = Readonly<Record<string, unknown>>;

export const specversion = '1.0';

/** Names of attributes, extensions included (§3.1.1). */
export const isName = (name: string): boolean => /^[a-z0-9]{1,64}$/.test(name);

const needed = ['id', 'source', 'type'] as const;

export const noEvent = (detail: string): Failure => failure('malformed', { format: 'CloudEvent', detail });

/** Throws what is missing. */
export function checked(attributes: Attributes): Attributes {
  const version = attributes['specversion'];
  if (version !== specversion) {
    throw noEvent(`its version is ${JSON.stringify(version)}, and only ${specversion} is understood`);
  }
  for (const name of needed) {
    const value = attributes[name];
    if (typeof value !== 'string' || value === '') throw noEvent(`it has no \`${name}\``);
  }
  return attributes;
}
