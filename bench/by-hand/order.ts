/** An order as the jobs written by hand see it, and what they make of it. */
export interface Order {
  readonly orderId: string;
  readonly customer: { readonly name: string; readonly country: string };
  readonly items: readonly {
    readonly sku: string;
    readonly name: string;
    readonly quantity: number;
    readonly price: number;
  }[];
}

export const order = (body: Buffer): Order => JSON.parse(body.toString()) as Order;

export function mapped({ orderId, customer, items }: Order): string {
  const lines = [];
  let total = 0;
  for (const { sku, name, quantity, price } of items) {
    const sum = quantity * price;
    total += sum;
    lines.push({ article: sku, text: name.toUpperCase(), sum });
  }
  return JSON.stringify({
    reference: orderId,
    receiver: `${customer.name}, ${customer.country}`,
    lines,
    total,
    large: items.length > 50,
  });
}
