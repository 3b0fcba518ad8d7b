/** What comes of one file of tests. */
import { connectors } from '../../connectors/index.ts';
import { prepareTests } from '../testing/prepare.ts';
import type { FileReport } from '../testing/report/report.ts';
import { type RunOptions, runTests } from '../testing/run.ts';
import { testTools } from './test-tools.ts';

export interface TestedFile {
  readonly report: FileReport;
  /** The file, and every file that it came from. */
  readonly files: readonly string[];
}

/** Tests files, one after the other: what they have in common is made once. */
export function fileTester(options: RunOptions): (file: string) => Promise<TestedFile> {
  const tools = testTools();
  return async (file) => {
    const prepared = await prepareTests(file, tools);
    const broken = prepared.checked
      .map((one, index) => (index === 0 ? { ...one, file } : one))
      .filter((one) => one.diagnostics.some((each) => each.severity === 'error'));
    return { report: { file, broken, result: await runTests(prepared, connectors, options) }, files: prepared.files };
  };
}
