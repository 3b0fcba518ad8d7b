import { dump } from 'js-yaml';

/** A stream of YAML documents. Text that a YAML 1.1 reader would take for something else stands in quotes. */
export const writeYaml = (documents: readonly unknown[]): string =>
  documents.map((one) => dump(one, { lineWidth: -1, noRefs: true })).join('---\n');
