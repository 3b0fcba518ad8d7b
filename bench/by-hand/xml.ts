import { SaxesParser } from 'saxes';

interface Order {
  orderId: string;
  customer: { name: string; country: string };
  items: { sku: string; name: string; quantity: number; price: number }[];
}

/** The order that an XML document holds, read with saxes by somebody who knows its elements. */
export function readOrder(text: string): Order {
  const order: Order = { orderId: '', customer: { name: '', country: '' }, items: [] };
  let item = { sku: '', name: '', quantity: 0, price: 0 };
  let content = '';
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    content = '';
    if (name === 'order') order.orderId = attributes['id'] ?? '';
    else if (name === 'customer') order.customer.country = attributes['country'] ?? '';
    else if (name === 'item') {
      item = { sku: attributes['sku'] ?? '', name: '', quantity: 0, price: 0 };
      order.items.push(item);
    }
  });
  parser.on('text', (piece) => {
    content += piece;
  });
  parser.on('closetag', ({ name }) => {
    if (name === 'customer') order.customer.name = content;
    else if (name === 'name') item.name = content;
    else if (name === 'quantity') item.quantity = Number(content);
    else if (name === 'price') item.price = Number(content);
    content = '';
  });
  parser.write(text).close();
  return order;
}

const references: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const special = /[&<>"]/;

const escaped = (text: string): string =>
  special.test(text) ? text.replace(/[&<>"]/g, (character) => references[character] ?? character) : text;

export function writeOrder({ orderId, customer, items }: Order): string {
  let xml = `<?xml version="1.0" encoding="UTF-8"?><order id="${escaped(orderId)}">`;
  xml += `<customer country="${escaped(customer.country)}">${escaped(customer.name)}</customer>`;
  for (const { sku, name, quantity, price } of items) {
    xml += `<item sku="${escaped(sku)}"><name>${escaped(name)}</name>`;
    xml += `<quantity>${quantity}</quantity><price>${price}</price></item>`;
  }
  return `${xml}</order>`;
}
