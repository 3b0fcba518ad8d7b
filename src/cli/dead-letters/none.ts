import { errorNames } from '../../errors.ts';
import { nearest } from '../../schema/nearest.ts';
import type { Values } from './options.ts';

/** When nothing fits: a filter may be misspelt. A flow that is gone, and a code of the file's own, may have letters too. */
export function noneFound({ flow, code }: Values, flows: readonly string[]): string {
  const none = 'no dead letters';
  if (flow !== undefined && !flows.includes(flow)) {
    const meant = nearest(flow, flows);
    return `${none}; the file has no flow ${flow}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  }
  if (code === undefined || errorNames.has(code) || /^http-(\d{3}|[1-5]xx)$/.test(code)) return none;
  const meant = nearest(code, [...errorNames]);
  return meant === undefined ? none : `${none}; did you mean --code ${meant}?`;
}
