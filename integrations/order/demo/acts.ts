import { isDeepStrictEqual } from 'node:util';
import { sleep, systemClock } from '../../../src/core/clock.ts';
import type { Scene } from './scene.ts';

/** One request, and everything that must be true afterwards. */
export interface Act {
  readonly title: string;
  readonly order: Readonly<Record<string, unknown>>;
  readonly expected: {
    readonly status: number;
    /** These keys, with these values; the answer may have more. */
    readonly body: Readonly<Record<string, unknown>>;
    /** What stands in the ledger of payments for this order. */
    readonly charges: readonly string[];
  };
  /** While payments is down. */
  readonly paymentsDown?: true;
}

export const acts: readonly Act[] = [
  {
    title: 'A good order',
    order: { orderId: 'A1', sku: 'tea', quantity: 2, country: 'DE' },
    expected: { status: 201, body: { orderId: 'A1', charged: 900, shipment: 'sh_A1' }, charges: ['charged'] },
  },
  {
    title: 'Out of stock',
    order: { orderId: 'A2', sku: 'kettle', quantity: 1, country: 'DE' },
    expected: { status: 409, body: { error: 'out of stock', available: 0 }, charges: [] },
  },
  {
    title: 'Bad input: the quantity is no number, the country is missing',
    order: { orderId: 'A3', sku: 'tea', quantity: 'two' },
    expected: { status: 400, body: { code: 'validation', outcome: 'none' }, charges: [] },
  },
  {
    title: 'Nobody delivers there: what was charged is given back',
    order: { orderId: 'A4', sku: 'mug', quantity: 1, country: 'AQ' },
    expected: { status: 422, body: { error: 'no delivery to AQ; the charge was refunded' }, charges: ['refunded'] },
  },
  {
    title: 'Payments is down (its process was killed)',
    order: { orderId: 'A5', sku: 'tea', quantity: 1, country: 'FR' },
    expected: { status: 503, body: { error: 'connection' }, charges: [] },
    paymentsDown: true,
  },
  {
    title: 'Payments is back: the same order again',
    order: { orderId: 'A5', sku: 'tea', quantity: 1, country: 'FR' },
    expected: { status: 201, body: { orderId: 'A5', charged: 450 }, charges: ['charged'] },
  },
];

export interface Finding {
  readonly right: boolean;
  readonly text: string;
}

export interface Performance {
  readonly status: number;
  readonly answer: string;
  readonly findings: readonly Finding[];
}

/** Sends the request of an act and compares what came of it. */
export async function perform(act: Act, scene: Scene): Promise<Performance> {
  if (act.paymentsDown) await scene.kill('payments');
  const { status, answer } = await send(act.order, scene);
  if (act.paymentsDown) await scene.start('payments');
  const { expected } = act;
  const charges = await scene.charges(String(act.order['orderId']));
  const charged = isDeepStrictEqual(charges, expected.charges);
  return {
    status,
    answer,
    findings: [
      status === expected.status
        ? { right: true, text: `answered ${status}` }
        : { right: false, text: `${expected.status} was expected` },
      has(answer, expected.body)
        ? { right: true, text: 'says what it should' }
        : { right: false, text: `should have ${JSON.stringify(expected.body)}` },
      {
        right: charged,
        text: `payments: ${ledger(charges)}${charged ? '' : `, not ${ledger(expected.charges)}`}`,
      },
    ],
  };
}

async function send(order: Act['order'], scene: Scene): Promise<{ readonly status: number; readonly answer: string }> {
  const response = await fetch(`${scene.places.order.url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
    signal: AbortSignal.timeout(30_000),
  }).catch((error: Error) => {
    throw new Error(`no answer from ${scene.places.order.url}: ${error.message}\n${scene.lastWords('order')}`);
  });
  return { status: response.status, answer: await response.text() };
}

/** The audit flow runs beside the answer, so the file is a moment behind. */
export async function checkAudit(scene: Scene): Promise<Finding> {
  const expected = acts.filter((act) => act.expected.status === 201).map((act) => act.order['orderId']);
  const end = performance.now() + 2_000;
  while (scene.audited().length < expected.length && performance.now() < end) {
    await sleep(systemClock, 20);
  }
  const audited = scene.audited();
  const right = isDeepStrictEqual(audited, expected);
  const list = audited.join(', ') || 'nothing';
  return { right, text: `the audit file has ${list}${right ? '' : `, not ${expected.join(', ')}`}` };
}

const ledger = (charges: readonly string[]): string => charges.join(', ') || 'nothing charged';

function has(answer: string, expected: Readonly<Record<string, unknown>>): boolean {
  try {
    const body = JSON.parse(answer) as Readonly<Record<string, unknown>>;
    return Object.entries(expected).every(([key, value]) => isDeepStrictEqual(body[key], value));
  } catch {
    return false;
  }
}
