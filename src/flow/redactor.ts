/** The same rule as for the log: what is too short to be told from other text stays. */
export const redactor =
  (secrets: readonly string[]) =>
  (text: string): string =>
    [...secrets]
      .filter((secret) => secret.length > 2)
      .sort((a, b) => b.length - a.length)
      .reduce((clean, secret) => clean.replaceAll(secret, '***'), text);
