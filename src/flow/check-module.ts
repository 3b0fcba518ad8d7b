import type { Finding } from '../core/written.ts';
import { nearest } from '../schema/nearest.ts';
import { moduleTrouble } from './module-trouble.ts';
import type { ModuleSlot } from './program.ts';

/**
 * What is wrong with a module of the user's, as far as it shows without running it: its syntax, and whether it exports the
 * function. Nothing is found where only running it could tell. `text`: what stands in its file.
 */
export function moduleFinding({ path, exportName, pointer }: ModuleSlot, text: string): Finding | undefined {
  let code: string;
  try {
    code = withoutTypes(text, path);
  } catch (thrown) {
    // Of the older kind, which may return at its top and reads otherwise in a few corners.
    if (/\.c?js$/.test(path) && isCommonJs(text)) return undefined;
    const message = `This module cannot be read: ${moduleTrouble(thrown)}`;
    return { severity: 'error', code: 'bad-module', pointer, message };
  }
  const names = exportsOf(code);
  // The second one of a `const` stands behind a comma.
  const isPlain = !new RegExp(`,\\s*${RegExp.escape(exportName)}\\s*=`).test(code);
  if (!names || names.includes(exportName) || !isPlain) return undefined;
  const suggestion = nearest(exportName, names);
  const exported = names.length === 0 ? 'nothing' : names.map((name) => `\`${name}\``).join(', ');
  const meant = suggestion === undefined ? '' : `; did you mean \`${suggestion}\`?`;
  const wanted = exportName === 'default' ? 'no default function' : `no function \`${exportName}\``;
  const hint = exportName === 'default' && names.length > 0 ? `. Name it: \`export: ${names[0]}\`` : meant;
  const message = `This module exports ${wanted}; it exports ${exported}${hint}`;
  const at = exportName === 'default' ? pointer : pointer.replace(/module$/, 'export');
  return { severity: 'error', code: 'unknown-export', pointer: at, message };
}

/** Throws what is wrong with the syntax, as an import would. */
function withoutTypes(text: string, path: string): string {
  // Says once that it is experimental; which is nothing that a user could do something about.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:module').stripTypeScriptTypes(text, { sourceUrl: path });
  } finally {
    process.emitWarning = emitWarning;
  }
}

function isCommonJs(text: string): boolean {
  try {
    process.getBuiltinModule('node:vm').compileFunction(text);
    return true;
  } catch {
    return false;
  }
}

/** Names that an ES module exports; `undefined` where that is not plain to see. Too many rather than too few. */
function exportsOf(code: string): readonly string[] | undefined {
  if (/\bexport\s*\*|\bexport\s+(?:const|let|var)\s*[[{]|\b(?:module\.exports|exports\s*[.[])/.test(code))
    return undefined;
  const declared =
    /\bexport\s+(?:async\s+)?(?:function\s*\*?|const|let|var|class)\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)/gu;
  const names = [...code.matchAll(declared)].flatMap(([, name = '']) => name);
  for (const [, list = ''] of code.matchAll(/\bexport\s*\{([^}]*)\}/g)) {
    for (const one of list.split(',')) {
      const name = one
        .trim()
        .split(/\s+as\s+/)
        .at(-1);
      if (name) names.push(name);
    }
  }
  if (/\bexport\s+default\b/.test(code)) names.push('default');
  return names;
}
