import type { Exchange } from '../core/exchange.ts';
import type { Evaluate } from '../steps/step.ts';

/** An option of a call: fixed, or made for each message. */
export interface OptionPart {
  readonly key: string;
  readonly constant: { readonly value: unknown } | undefined;
  readonly evaluate: Evaluate;
}

type Options = Record<string, unknown>;

/** The options with their values; without a promise as long as none of them needs one. */
export function filled(parts: readonly OptionPart[], exchange: Exchange): Options | Promise<Options> {
  const options: Options = {};
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index];
    if (!part) continue;
    const value = part.constant ? part.constant.value : part.evaluate(exchange);
    if (value instanceof Promise) return filledFrom(index, value, parts, exchange, options);
    options[part.key] = value;
  }
  return options;
}

async function filledFrom(
  index: number,
  value: Promise<unknown>,
  parts: readonly OptionPart[],
  exchange: Exchange,
  options: Options,
): Promise<Options> {
  const [first, ...rest] = parts.slice(index);
  if (first) options[first.key] = await value;
  for (const { key, constant, evaluate } of rest) {
    options[key] = constant ? constant.value : await evaluate(exchange);
  }
  return options;
}
