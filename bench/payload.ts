/** The messages that the scenarios send, of about the size that was asked for, and what shall come of them. */

export interface Order {
  readonly orderId: string;
  readonly customer: { readonly name: string; readonly country: string };
  readonly items: readonly Item[];
}

interface Item {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly price: number;
}

const names = ['Green tea', 'Cup & saucer', 'Tea pot', 'Tray <large>', 'Sugar bowl', 'Milk jug', 'Crème brûlée'];

const item = (index: number): Item => ({
  sku: `article-${1000 + index}`,
  name: `${names[index % names.length]} ${index}`,
  quantity: 1 + (index % 9),
  price: (199 + ((index * 37) % 5000)) / 100,
});

const orderWith = (count: number): Order => ({
  orderId: 'A-2026-11-0042',
  customer: { name: 'Ada Lovelace', country: 'UK' },
  items: Array.from({ length: count }, (_, index) => item(index)),
});

/** The order whose text, as `write` makes it, is the shortest of at least `bytes`. */
function sized(bytes: number, write: (order: Order) => string): Order {
  const each = Buffer.byteLength(write(orderWith(100))) / 100;
  let count = Math.max(2, Math.floor(bytes / each) - 5);
  while (Buffer.byteLength(write(orderWith(count))) < bytes) count += 1;
  return orderWith(count);
}

export const jsonOrder = (bytes: number): Order => sized(bytes, JSON.stringify);
export const xmlOrder = (bytes: number): Order => sized(bytes, xmlOf);

const references: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => references[character] ?? character);

export function xmlOf({ orderId, customer, items }: Order): string {
  const rows = items.map(
    ({ sku, name, quantity, price }) =>
      `<item sku="${escaped(sku)}"><name>${escaped(name)}</name><quantity>${quantity}</quantity><price>${price}</price></item>`,
  );
  const who = `<customer country="${escaped(customer.country)}">${escaped(customer.name)}</customer>`;
  return `<?xml version="1.0" encoding="UTF-8"?><order id="${escaped(orderId)}">${who}${rows.join('')}</order>`;
}

/** What the mapping JSON → JSON makes of an order. */
export const mappedOf = ({ orderId, customer, items }: Order): unknown => ({
  reference: orderId,
  receiver: `${customer.name}, ${customer.country}`,
  lines: items.map(({ sku, name, quantity, price }) => ({
    article: sku,
    text: name.toUpperCase(),
    sum: quantity * price,
  })),
  total: items.map(({ quantity, price }) => quantity * price).reduce((sum, one) => sum + one),
  large: items.length > 50,
});

/** What the system behind answers to one of the three questions: a list of about `bytes`. */
export function partOf(name: string, bytes: number): unknown {
  const rows: unknown[] = [];
  for (let size = 60, index = 0; size < bytes || index < 1; index += 1) {
    const row = { name: `${name}-${1000 + index}`, value: (index * 37) % 1000, known: index % 3 === 0 };
    rows.push(row);
    size += JSON.stringify(row).length + 1;
  }
  return { name, count: rows.length, rows };
}

export const partNames = ['stock', 'price', 'reviews'] as const;
