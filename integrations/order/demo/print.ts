import type { Act, Finding, Performance } from './acts.ts';
import { partNames, type Scene } from './scene.ts';

const colors = process.stdout.isTTY === true && !process.env['NO_COLOR'];
const paint =
  (code: number) =>
  (text: string): string =>
    colors ? `\x1b[${code}m${text}\x1b[0m` : text;
const bold = paint(1);
const dim = paint(2);
const red = paint(31);
const green = paint(32);

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function sayParts(scene: Scene): void {
  say(bold('The order scenario: one integration and the systems it connects, each a process of its own'));
  say();
  for (const part of partNames) {
    const { url, note } = scene.places[part];
    say(`  ${part.padEnd(10)} ${url} ${dim(note)}`.trimEnd());
  }
  say();
}

export function sayAct(act: Act, { status, answer, findings }: Performance): void {
  const right = findings.every((one) => one.right);
  say(`${mark(right)} ${bold(act.title)}`);
  say(`    ${dim('POST /orders')} ${JSON.stringify(act.order)}`);
  say(`    ${dim(String(status))} ${answer.trim()}`);
  for (const finding of findings) sayFinding(finding);
  say();
}

export function sayFinding({ right, text }: Finding): void {
  say(`    ${mark(right)} ${text}`);
}

export function sayVerdict(wrong: number, all: number): void {
  say(wrong === 0 ? green(`All ${all} answers are right.`) : red(`${wrong} of ${all} are wrong.`));
  say();
}

export function sayNext(scene: Scene): void {
  const { order, payments } = scene.places;
  say(bold('It stays up. Try, from another terminal:'));
  say();
  say(`  curl -i ${order.url}/orders -H 'content-type: application/json' \\`);
  say(`       -d '{ "orderId": "B1", "sku": "mug", "quantity": 3, "country": "AT" }'`);
  say(
    dim(
      '  … "quantity": 4 (out of stock), "sku": "piano" (declined), "sku": "sofa" (unknown), "country": "US" (refund)',
    ),
  );
  say();
  say(`  curl ${payments.url}/charges -H 'authorization: Bearer demo-key'`);
  say(`  cat ${scene.auditFile}`);
  say(`  tail -f ${scene.folder}/order.log`);
  say();
  say(dim('The whole integration is integrations/order/integration.yaml. Ctrl-C ends all processes.'));
}

const mark = (right: boolean): string => (right ? green('✓') : red('✗'));
