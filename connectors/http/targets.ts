import type { EndpointOptions } from './definition.ts';
import { type Template, templateOf } from './request.ts';

/** One entry of `urls`, or `url` itself. */
export interface Target {
  readonly index: number;
  readonly name: string | undefined;
  readonly url: URL;
  readonly weight: number;
  readonly template: Template;
}

export function targetsOf(options: EndpointOptions): readonly Target[] {
  const written = options.urls ?? (options.url === undefined ? [] : [options.url]);
  return written.map((one, index) => {
    const { name, url: text, weight = 1 } = typeof one === 'string' ? { url: one } : one;
    const url = new URL(text);
    return { index, name, url, weight, template: templateOf(options, url) };
  });
}
