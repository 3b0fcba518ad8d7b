import { failure } from '../errors.ts';

/**
 * Loads a package that only some integrations need. `load` has the `import()` itself, so that the package has one owner.
 * Rejects with `startup`, which names the command that installs it.
 */
export async function optionalPackage<T>(what: string, install: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_MODULE_NOT_FOUND')) throw thrown;
    // Where Dowel itself is the project, the package is one for its development, and npm would leave it out.
    const detail = `it needs a package that is not installed. Run \`npm install --save-prod ${install}\` where Dowel is installed`;
    throw failure('startup', { what, detail }, { cause: thrown });
  }
}
