import { failure } from '#sdk';
import type { SoapEnvelope } from './envelope.ts';
import { type Element, isElement, localName } from './payload.ts';

/**
 * A header block that its sender marked `mustUnderstand` is obeyed, or the message is refused as a whole (SOAP 1.1 §4.2.3,
 * 1.2 §5.2.3). Blocks for others on the way are none of our business.
 */
export function refuseUnknownBlocks({ header }: SoapEnvelope, understood: readonly string[] = []): void {
  for (const [name, blocks] of Object.entries(header ?? {})) {
    if (understood.includes(name)) continue;
    for (const block of Array.isArray(blocks) ? blocks : [blocks]) {
      if (!isElement(block) || !isMandatory(block) || !isForUs(block)) continue;
      const detail = `the header block ${name} must be understood, and is not; understood are ${understood.join(', ') || 'none'}`;
      throw failure('bad-request', { detail, fault: 'MustUnderstand' });
    }
  }
}

const attribute = (block: Element, wanted: string): string | undefined => {
  const key = Object.keys(block).find((one) => one.startsWith('@') && localName(one.slice(1)) === wanted);
  return key === undefined ? undefined : String(block[key]).trim();
};

const isMandatory = (block: Element): boolean => {
  const mark = attribute(block, 'mustUnderstand');
  return mark === '1' || mark === 'true';
};

/** 1.1 names the `actor`, 1.2 the `role`; nobody named means the last receiver, which is us. */
const isForUs = (block: Element): boolean => {
  const role = attribute(block, 'actor') ?? attribute(block, 'role') ?? '';
  return role === '' || /\/(next|ultimateReceiver)$/.test(role);
};
