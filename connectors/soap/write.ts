import { writeXml } from '#sdk';
import { freePrefix } from './payload.ts';
import { envelopeUri, type SoapVersion } from './versions.ts';

export interface EnvelopeParts {
  readonly version: SoapVersion;
  /** Elements by name, as in `{ 'm:Add': { 'm:a': 1 } }`; undefined or `""` for an empty Body. */
  readonly body: unknown;
  readonly header?: unknown;
  /** Prefix → URI of the payload's namespaces; the empty prefix is for names without one. */
  readonly namespaces?: Readonly<Record<string, string>> | undefined;
}

/** The envelope as an XML document. Throws `malformed` as writing XML does. */
export function writeEnvelope({ version, body, header, namespaces }: EnvelopeParts): string {
  const soap = freePrefix('soap', namespaces);
  const parts = { ...(header === undefined ? {} : { [`${soap}:Header`]: header }), [`${soap}:Body`]: body ?? '' };
  return writeXml({ [`${soap}:Envelope`]: parts }, { namespaces: { ...namespaces, [soap]: envelopeUri[version] } });
}

const names11: Readonly<Record<string, string>> = { Sender: 'Client', Receiver: 'Server' };
const names12: Readonly<Record<string, string>> = { Client: 'Sender', Server: 'Receiver' };

export interface FaultParts {
  readonly version: SoapVersion;
  /** `Client`, `Server`, `MustUnderstand`, `VersionMismatch`; in 1.2 the first two are `Sender` and `Receiver`. */
  readonly code: string;
  readonly string: string;
  readonly actor?: string;
  readonly detail?: unknown;
  /** Prefix → URI for the detail. Names without a prefix have no namespace in a fault, so the empty prefix is left out. */
  readonly namespaces?: Readonly<Record<string, string>> | undefined;
}

/** The envelope of a fault, with its code and text where the version wants them. */
export function writeFault({ version, code, string, actor, detail, namespaces: given }: FaultParts): string {
  const { '': _none, ...namespaces } = given ?? {};
  const soap = freePrefix('soap', namespaces);
  if (version === '1.1') {
    const name = names11[code] ?? code;
    const fault = { faultcode: `${soap}:${name}`, faultstring: string, faultactor: actor, detail };
    return writeEnvelope({ version, body: { [`${soap}:Fault`]: fault }, namespaces });
  }
  const fault = {
    [`${soap}:Code`]: { [`${soap}:Value`]: `${soap}:${names12[code] ?? code}` },
    [`${soap}:Reason`]: { [`${soap}:Text`]: { '@xml:lang': 'en', '#text': string } },
    [`${soap}:Role`]: actor,
    [`${soap}:Detail`]: detail,
  };
  return writeEnvelope({ version, body: { [`${soap}:Fault`]: fault }, namespaces });
}
