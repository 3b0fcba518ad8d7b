import { isIP } from 'node:net';
import type { EndpointOptions } from './definition.ts';

type Report = (at: string, message: string, suggestion?: string) => void;

/** A URL that the file gives, and where. */
export interface WrittenUrl {
  readonly at: string;
  readonly url: URL;
}

/** What is wrong with the targets as a whole; gives all URLs, each to be looked at for itself. */
export function checkTargets(options: Partial<EndpointOptions>, report: Report): readonly WrittenUrl[] {
  const { url, urls } = options;
  if (url !== undefined && urls)
    report('urls', 'an endpoint has `url` or `urls`, not both: put all of them into `urls`');
  else if (url === undefined && !urls) {
    report('', '`url` is missing; for example `url: http://localhost:9101`, or `urls` for several targets');
  }
  const written = writtenUrls(options);
  if (urls) checkEntries(urls, options.loadBalance, written, report);
  else if (url !== undefined) checkAlone(options, report);
  if (options.dns) checkNames(written, options.dns.records, report);
  else for (const one of written) checkNoService(one, report);
  return written;
}

function writtenUrls({ url, urls }: Partial<EndpointOptions>): readonly WrittenUrl[] {
  const all = (urls ?? []).map((one, index) =>
    typeof one === 'string' ? { at: `urls/${index}`, text: one } : { at: `urls/${index}/url`, text: one.url },
  );
  if (url !== undefined) all.unshift({ at: 'url', text: url });
  return all.flatMap(({ at, text }) => (URL.canParse(text) ? [{ at, url: new URL(text) }] : []));
}

type Entries = NonNullable<EndpointOptions['urls']>;

function checkEntries(
  urls: Entries,
  loadBalance: EndpointOptions['loadBalance'] | undefined,
  written: readonly WrittenUrl[],
  report: Report,
): void {
  const names = new Set<string>();
  for (const [index, one] of urls.entries()) {
    if (typeof one === 'string') continue;
    if (one.name !== undefined && names.has(one.name)) {
      report(`urls/${index}/name`, `two targets are called \`${one.name}\`: give each a name of its own`);
    }
    if (one.name !== undefined) names.add(one.name);
    if (one.weight !== undefined && loadBalance !== 'weighted') {
      report(`urls/${index}/weight`, '`weight` counts only with `loadBalance: weighted`: write that too, or drop it');
      return;
    }
  }
  const places = new Set<string>();
  for (const { at, url } of written) {
    if (places.has(url.href))
      report(at, `\`${url.href}\` stands here twice: for a larger part of the calls use \`weight\``);
    places.add(url.href);
  }
  if (urls.every((one) => typeof one !== 'string' && one.weight === 0)) {
    report('urls', 'every `weight` is 0: then no target gets any call');
  }
}

/** Options that ask for several targets. */
function checkAlone({ dns, loadBalance, ejection, healthCheck }: Partial<EndpointOptions>, report: Report): void {
  if (dns) return;
  const given = {
    loadBalance: loadBalance !== undefined && loadBalance !== 'roundRobin',
    ejection: ejection !== undefined,
    healthCheck: healthCheck !== undefined,
  };
  for (const [name, there] of Object.entries(given)) {
    if (there)
      report(
        name,
        `\`${name}\` is for several targets, and there is one \`url\`: use \`urls\`, or \`dns\` where the name has several addresses`,
      );
  }
}

function checkNames(written: readonly WrittenUrl[], records: 'address' | 'srv', report: Report): void {
  for (const { at, url } of written) {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0) report(at, `\`${host}\` is an address already: drop \`dns\`, or write a name`);
    else if (records === 'srv' && url.port !== '')
      report(at, 'the port comes from the SRV record: leave it out of the URL');
    else if (records === 'address') checkNoService({ at, url }, report);
  }
}

/** Host names have no underscore: this is the name of a service, and can be found in no other way. */
function checkNoService({ at, url }: WrittenUrl, report: Report): void {
  if (!/^_[^.]+\._(?:tcp|udp)\./.test(url.hostname)) return;
  report(at, `\`${url.hostname}\` is a name of SRV records: add \`dns: { records: srv }\``);
}
