/** A file that lets whoever has it in: a private key (PEM), or the seed or credentials of a NATS user. */
export const isCredential = (text: string): boolean =>
  /-----BEGIN [A-Z ]*(PRIVATE KEY|NKEY SEED|USER JWT)-----/.test(text);
