import { dirname } from 'node:path';
import type { OpenApiSource, Report } from '../../core/written.ts';
import type { ScalarNode } from '../../schema/node.ts';
import type { ReferencedFiles } from '../files.ts';
import { DocumentProblem } from './documents.ts';
import { readContract } from './read.ts';

/** The document that an integration names, with those that it refers to: all are among its files from then on. */
export function openContract(
  path: string,
  node: ScalarNode,
  files: ReferencedFiles,
  report: Report,
): OpenApiSource | undefined {
  const file = files.read(path, node, report);
  if (!file) return undefined;
  const silent = (): void => undefined;
  const readText = (other: string): string | undefined => files.read(other, node, silent)?.text;
  try {
    return { ...file, contract: readContract(file.path, file.text, dirname(files.resolve('x')), readText) };
  } catch (thrown) {
    if (!(thrown instanceof DocumentProblem)) throw thrown;
    const message = `This document cannot be used as a contract: ${thrown.message}`;
    report({ severity: 'error', code: 'bad-contract', message, pointer: node.pointer });
    return undefined;
  }
}
