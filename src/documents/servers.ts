import type { MessageChannel } from '../sdk.ts';

export interface ServerShown {
  readonly host: string;
  readonly protocol: string;
  readonly pathname?: string;
  readonly description?: string;
}

/** Brokers, each once, without what is secret about them. */
export class Servers {
  readonly all: Record<string, ServerShown> = {};
  readonly #secrets: readonly string[];

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** The names of those of a channel. */
  named({ protocol, urls }: MessageChannel): readonly string[] {
    return urls.map((url) => this.#named(this.#shown(url, protocol)));
  }

  #named(server: ServerShown): string {
    const found = Object.entries(this.all).find(([, one]) => JSON.stringify(one) === JSON.stringify(server));
    if (found) return found[0];
    const names = Object.keys(this.all);
    let name = server.protocol.replaceAll(/[^\w-]+/g, '-');
    for (let nth = 2; names.includes(name); nth += 1) name = `${server.protocol.replaceAll(/[^\w-]+/g, '-')}-${nth}`;
    this.all[name] = server;
    return name;
  }

  #shown(url: string, protocol: string): ServerShown {
    if (this.#secrets.includes(url)) {
      return { host: 'secret.invalid', protocol, description: 'Its address is a secret.' };
    }
    const parsed = URL.canParse(url) && url.includes('://') ? new URL(url) : undefined;
    if (!parsed) return { host: url, protocol };
    const { host, pathname } = parsed;
    return { host, protocol, ...(pathname === '' || pathname === '/' ? {} : { pathname }) };
  }
}
