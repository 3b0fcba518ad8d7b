import type { Exchange } from '../core/exchange.ts';
import type { Evaluate } from '../steps/step.ts';

/** An option of a call: fixed, or made for each message. */
export interface OptionPart {
  readonly key: string;
  readonly constant: { readonly value: unknown } | undefined;
  readonly evaluate: Evaluate;
}

type Options = Record<string, unknown>;

/**
 * Makes the options with their values; without a promise as long as none of them needs one. Each call copies one object
 * that has all keys already, and puts in what is made for the message: adding key by key costs three times as much.
 */
export function filling(parts: readonly OptionPart[]): (exchange: Exchange) => Options | Promise<Options> {
  const shape: Options = Object.fromEntries(parts.map(({ key, constant }) => [key, constant?.value]));
  const made = parts.filter(({ constant }) => !constant);
  return (exchange) => {
    const options = { ...shape };
    for (let index = 0; index < made.length; index += 1) {
      const part = made[index];
      if (!part) continue;
      const value = part.evaluate(exchange);
      if (value instanceof Promise) return filledFrom(index, value, made, exchange, options);
      options[part.key] = value;
    }
    return options;
  };
}

async function filledFrom(
  index: number,
  value: Promise<unknown>,
  made: readonly OptionPart[],
  exchange: Exchange,
  options: Options,
): Promise<Options> {
  const [first, ...rest] = made.slice(index);
  if (first) options[first.key] = await value;
  for (const { key, evaluate } of rest) options[key] = await evaluate(exchange);
  return options;
}
