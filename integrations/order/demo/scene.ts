import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IntegrationProcess } from './integration-process.ts';
import { freeOr, isFree } from './ports.ts';

/** Who takes part: the integration, and the systems that it connects. */
const parts = {
  order: { file: 'order/integration.yaml', port: 8080 },
  inventory: { file: 'backends/inventory/integration.yaml', port: 9101 },
  payments: { file: 'backends/payments/integration.yaml', port: 9102 },
  shipping: { file: 'backends/shipping/integration.yaml', port: 9103 },
} as const;

export type Part = keyof typeof parts;
export const partNames = Object.keys(parts) as readonly Part[];

const paymentsKey = 'demo-key';

export interface Place {
  readonly url: string;
  readonly note: string;
  /** `undefined`: it runs elsewhere, where the environment says. */
  readonly port: number | undefined;
}

/** The processes of the scenario, and what can be seen of it from outside. */
export class Scene {
  readonly places: Readonly<Record<Part, Place>>;
  /** Logs and the audit file; gone when the scene closes. */
  readonly folder = mkdtempSync(join(tmpdir(), 'dowel-order-'));
  readonly #running = new Map<Part, IntegrationProcess>();
  readonly #died = Promise.withResolvers<string>();
  #closed = false;

  static async open(env: NodeJS.ProcessEnv): Promise<Scene> {
    // Another process may take a port that was free when we looked, as a second `npm start` does: then any other ones.
    return Scene.#open(env, usualPort).catch(() => Scene.#open(env, anyPort));
  }

  static async #open(env: NodeJS.ProcessEnv, portOf: PortOf): Promise<Scene> {
    const scene = new Scene({
      order: await ownPlace('order', portOf, env['PORT']),
      inventory: elsewhere(env['INVENTORY_URL']) ?? (await ownPlace('inventory', portOf)),
      payments: await ownPlace('payments', portOf),
      shipping: elsewhere(env['SHIPPING_URL']) ?? (await ownPlace('shipping', portOf)),
    });
    const own = partNames.filter((part) => scene.places[part].port !== undefined);
    // All of them, whatever becomes of one: who is still starting could not be stopped.
    const started = await Promise.allSettled(own.map((part) => scene.start(part)));
    const failed = started.find((one) => one.status === 'rejected');
    if (!failed) return scene;
    await scene.close();
    throw failed.reason;
  }

  private constructor(places: Readonly<Record<Part, Place>>) {
    this.places = places;
  }

  get auditFile(): string {
    return join(this.folder, 'audit.jsonl');
  }

  /** Resolves with the name of a process that has ended though nobody told it to. */
  get died(): Promise<string> {
    return this.#died.promise;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async start(part: Part): Promise<void> {
    const process = await IntegrationProcess.start({
      name: part,
      file: parts[part].file,
      env: this.#environment(part),
      logFile: this.#logFile(part),
    });
    if (this.#closed) return process.stop();
    this.#running.set(part, process);
    void process.died.then((name) => this.#died.resolve(name));
  }

  async kill(part: Part): Promise<void> {
    await this.#running.get(part)?.kill();
    this.#running.delete(part);
  }

  /** What became of the charges of an order: `charged`, `refunded`. */
  async charges(order: string): Promise<readonly string[]> {
    const url = `${this.places.payments.url}/charges?order=${encodeURIComponent(order)}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${paymentsKey}` } });
    if (!answer.ok) throw new Error(`payments answered ${answer.status}: ${await answer.text()}`);
    const charges = (await answer.json()) as readonly { readonly state: string }[];
    return charges.map((one) => one.state);
  }

  /** The orders that stand in the audit file. */
  audited(): readonly string[] {
    let text: string;
    try {
      text = readFileSync(this.auditFile, 'utf8');
    } catch {
      return [];
    }
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => (JSON.parse(line) as { order: string }).order);
  }

  /** The end of the log of a part. */
  lastWords(part: string): string {
    return readFileSync(this.#logFile(part), 'utf8').trim().split('\n').slice(-5).join('\n');
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running.values()].map((process) => process.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #logFile(part: string): string {
    return join(this.folder, `${part}.log`);
  }

  #environment(part: Part): NodeJS.ProcessEnv {
    const { inventory, payments, shipping } = this.places;
    const { PAYMENTS_KEY_FILE: _file, ...inherited } = process.env;
    const own: Readonly<Record<Part, NodeJS.ProcessEnv>> = {
      order: {
        HOST: '127.0.0.1',
        INVENTORY_URL: inventory.url,
        PAYMENTS_URL: payments.url,
        PAYMENTS_KEY: paymentsKey,
        SHIPPING_URL: shipping.url,
        AUDIT_FILE: this.auditFile,
      },
      inventory: {},
      payments: { KEY: paymentsKey },
      shipping: {},
    };
    return { ...inherited, ...own[part], PORT: String(this.places[part].port) };
  }
}

type PortOf = (part: Part) => Promise<number>;

const usualPort: PortOf = (part) => freeOr(parts[part].port);
const anyPort: PortOf = () => freeOr(0);

/** A port of this machine: the one that was asked for, else one that `portOf` finds. */
async function ownPlace(part: Part, portOf: PortOf, asked?: string): Promise<Place> {
  if (asked) {
    const port = Number(asked);
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`PORT=${asked} is not a port`);
    if (!(await isFree(port))) throw new Error(`Port ${port} is taken: give PORT another one, or leave it out`);
    return { url: `http://127.0.0.1:${port}`, note: '', port };
  }
  const usual = parts[part].port;
  const port = await portOf(part);
  return { url: `http://127.0.0.1:${port}`, note: port === usual ? '' : `(${usual} is taken)`, port };
}

const elsewhere = (url: string | undefined): Place | undefined =>
  url ? { url, note: '(not started here)', port: undefined } : undefined;
