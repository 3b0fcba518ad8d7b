import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { editorSchema, testEditorSchema } from './schema.ts';

export const packageRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');
const schemaName = 'integration.schema.json';
const schemaCopy = `./${schemaName}`;
const testSchemaName = 'test.schema.json';

/** What the templates are called: each of them is an integration that runs as it lies there. */
const templateName = 'my-integration';

export const isEmptyFolder = (path: string): boolean => statSync(path).isDirectory() && readdirSync(path).length === 0;

/** Writes a template into `folder`; returns what was written, relative to it. */
export function scaffold(folder: string, what: { readonly name: string; readonly kind: string }): readonly string[] {
  const template = fileURLToPath(new URL(`templates/${what.kind}`, import.meta.url));
  mkdirSync(folder, { recursive: true });
  const written: string[] = [];
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    // Never over something that appeared meanwhile.
    writeFileSync(join(folder, file), text, { flag: 'wx' });
    written.push(file);
  };
  const schema = schemaSeenFrom(folder, packageRoot);
  for (const file of readdirSync(template, { recursive: true, encoding: 'utf8' }).sort()) {
    if (statSync(join(template, file)).isDirectory()) continue;
    const name = file.endsWith('.yaml') ? asYaml(what.name) : what.name;
    const text = readFileSync(join(template, file), 'utf8').replaceAll(templateName, name);
    const names: Readonly<Record<string, string>> = {
      'integration.yaml': schema,
      // The two lie side by side, in the package and as copies.
      'integration.test.yaml': `${schema.slice(0, -schemaName.length)}${testSchemaName}`,
    };
    const named = names[basename(file)];
    const head = named === undefined ? '' : `# yaml-language-server: $schema=${named}\n`;
    // Published packages leave out files of the name `.gitignore`.
    write(file === 'gitignore' ? '.gitignore' : file, head + text);
  }
  // Not copied: a container image has no `schemas` folder.
  if (schema === schemaCopy) {
    write(schemaName, editorSchema());
    write(testSchemaName, testEditorSchema());
  }
  return written;
}

/** Whether `npx dowel` is found in `folder` without a further word: it lies in the project that has Dowel. */
export const isAtHome = (folder: string): boolean => schemaSeenFrom(folder, packageRoot) !== schemaCopy;

/**
 * Where an editor finds the schema: in the package, when the folder lies in the project that installed it (or in a
 * checkout), so that it follows an update; else in a copy beside the file, for a path to somewhere else on this machine
 * would mean nothing on another.
 */
export function schemaSeenFrom(folder: string, home: string): string {
  const owner = dirname(home);
  const project = basename(owner) === 'node_modules' ? dirname(owner) : home;
  if (!folder.startsWith(`${project}${sep}`)) return schemaCopy;
  return relative(folder, join(home, 'schemas', schemaName))
    .split(sep)
    .join('/');
}

/** Words that YAML reads as something else than text. */
const asYaml = (name: string): string => (/^(true|false|null|yes|no|on|off|y|n)$/i.test(name) ? `"${name}"` : name);
