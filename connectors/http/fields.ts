/** Rules for header fields (RFC 9110 §5) that both directions keep. */

/** Fields that belong to one connection, never to a message (RFC 9110 §7.6.1), and those that node and undici set. */
export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What may not stand in a value: CR and LF would begin another field, and more than one byte has no place on the wire. */
export const badInValue = /[^\t\x20-\x7e\x80-\xff]/;
