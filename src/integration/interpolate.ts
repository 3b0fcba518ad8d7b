import { withoutPasswords } from '../core/url-passwords.ts';
import type { Report } from '../core/written.ts';
import { holes } from '../expression/holes.ts';
import { nearest } from '../schema/nearest.ts';
import { describe, type ScalarNode } from '../schema/node.ts';
import type { Interpolated } from '../schema/read-context.ts';
import { titleOf } from '../schema/wording.ts';
import type { Setting } from './config.ts';
import { literalPieces, namesIn, type Piece, templatePieces } from './placeholders.ts';

export type Settings = ReadonlyMap<string, Setting>;

/** From `from` on in the new text, `by` added to an offset is where it was written. */
export interface Shift {
  readonly from: number;
  readonly by: number;
}

/** A template with `${NAME}` replaced. */
export interface Replaced {
  readonly value: unknown;
  readonly shifts: readonly Shift[];
  /** What is found in the value follows from a mistake that is reported already. */
  readonly spoilt: boolean;
}

type Unset = 'reported' | 'unknown' | 'absent';
type Found = { readonly text: string } | Unset;

/** Replaces `${NAME}` in a literal field. */
export function interpolateLiteral(node: ScalarNode, settings: Settings, report: Report): Interpolated {
  const { text } = node;
  if (!text.includes('${')) return { text, coerced: false, shown: describe(node) };
  const pieces = literalPieces(text);
  const hole = pieces.find((piece) => piece.kind === 'hole');
  if (hole) return reportHole(node, hole, report);
  const found = pieces.map((piece) => lookUp(piece, node, settings, report));
  for (const state of ['reported', 'unknown'] as const) if (found.includes(state)) return state;
  const [only] = pieces;
  const whole = pieces.length === 1 && only?.kind === 'name';
  if (found.includes('absent')) return whole ? 'absent' : reportAbsent(node, pieces[found.indexOf('absent')], report);
  const joined = found.map((one) => (typeof one === 'string' ? '' : one.text)).join('');
  const names = pieces.flatMap((piece) => (piece.kind === 'name' ? [piece.name] : []));
  const open = names.filter((name) => !settings.get(name)?.secret);
  return {
    text: joined,
    coerced: whole,
    shown: shown(node, names, open, joined),
  };
}

/** How messages call the value: never a secret. */
function shown(node: ScalarNode, names: readonly string[], open: readonly string[], joined: string): string {
  if (open.length < names.length) return `the value of \`${node.text}\``;
  return names.length > 0
    ? `${JSON.stringify(withoutPasswords(joined))}, the value of \`${node.text}\``
    : describe(node);
}

/** The values of config in a text whose declarations are as they should be. */
export function configIn(node: ScalarNode, settings: Settings): readonly Setting[] {
  const names = literalPieces(node.text).flatMap((piece) => (piece.kind === 'name' ? [piece.name] : []));
  return names.flatMap((name) => settings.get(name) ?? []).filter((setting) => setting.state !== 'reported');
}

/** Replaces `${NAME}` in a template, outside of its holes. */
export function interpolateTemplate(node: ScalarNode, settings: Settings, report: Report): Replaced {
  const { text } = node;
  if (!text.includes('${')) return { value: text, shifts: [], spoilt: false };
  const pieces = templatePieces(text);
  const [only] = pieces;
  if (pieces.length === 1 && only?.kind === 'name') return replaceWhole(only.name, only, node, settings, report);
  let spoilt = false;
  let joined = '';
  const shifts: Shift[] = [];
  for (const piece of pieces) {
    if (piece.kind === 'hole') {
      joined += text.slice(piece.start, piece.end);
      spoilt = !namesAreFree(text.slice(piece.start, piece.end), piece.start, node, report) || spoilt;
    } else {
      const found = inTemplate(piece, node, settings, report);
      if (found === 'absent') reportAbsent(node, piece, report);
      // Holes come from the file alone: what looks like one in a value is text.
      if (typeof found !== 'string') joined += piece.kind === 'name' ? asText(found.text) : found.text;
    }
    shifts.push({ from: joined.length, by: piece.end - joined.length });
  }
  return { value: joined, shifts, spoilt };
}

function replaceWhole(name: string, piece: Piece, node: ScalarNode, settings: Settings, report: Report): Replaced {
  const found = inTemplate(piece, node, settings, report);
  const setting = settings.get(name);
  if (typeof found !== 'string' && setting?.state === 'set') {
    const { value } = setting;
    const safe = typeof value === 'string' ? asText(value) : value;
    return { value: safe, shifts: [], spoilt: false };
  }
  return { value: undefined, shifts: [], spoilt: found !== 'absent' };
}

/** A value of config as a template shows it as it is. (In a replacement string, `$$` would be one `$`.) */
const asText = (value: string): string => value.replaceAll('${{', () => '$${{');

/** Reports what an expression must not hold; whether there was nothing of it. */
export function checkExpression(node: ScalarNode, report: Report): boolean {
  const { text } = node;
  const hole = text.indexOf('${{');
  if (hole < 0) return namesAreFree(text, 0, node, report);
  const whole = /^\s*\$\{\{([\s\S]*)\}\}\s*$/.exec(text)?.[1]?.trim();
  report({
    severity: 'error',
    code: 'hole-in-expression',
    pointer: node.pointer,
    ...(whole === undefined ? { offset: hole, length: 3 } : { suggestion: whole }),
    message: `${titleOf(node.pointer)} is an expression already: write it without \`\${{ }}\``,
  });
  return false;
}

function namesAreFree(expression: string, from: number, node: ScalarNode, report: Report): boolean {
  const names = namesIn(expression);
  for (const { name, start, end } of names) {
    report({
      severity: 'error',
      code: 'placeholder-in-expression',
      pointer: node.pointer,
      offset: from + start,
      length: end - start,
      message: `\`\${${name}}\` is not replaced inside an expression: write \`$config.${name}\``,
      suggestion: `$config.${name}`,
    });
  }
  return names.length === 0;
}

function lookUp(piece: Piece, node: ScalarNode, settings: Settings, report: Report, template = false): Found {
  if (piece.kind === 'text') return { text: piece.text };
  if (piece.kind !== 'name') return reportBroken(node, piece, report, template);
  const setting = settings.get(piece.name);
  if (!setting) return reportUndeclared(piece.name, node, piece, settings, report, template);
  return setting.state === 'set' ? { text: setting.text } : setting.state;
}

function inTemplate(piece: Piece, node: ScalarNode, settings: Settings, report: Report): Found {
  if (piece.kind !== 'name' || !settings.get(piece.name)?.secret) return lookUp(piece, node, settings, report, true);
  report({
    ...placeOf(node, piece),
    code: 'secret-in-template',
    message: `\`${piece.name}\` is secret, and this field becomes part of messages: secrets go into the options of an endpoint, such as \`auth\``,
  });
  return 'reported';
}

const placeOf = (node: ScalarNode, piece: { readonly start: number; readonly end: number }) =>
  ({ severity: 'error', pointer: node.pointer, offset: piece.start, length: piece.end - piece.start }) as const;

function reportHole(node: ScalarNode, hole: Piece, report: Report): 'reported' {
  const whole = holes(node.text).find((one) => one.start === hole.start) ?? hole;
  const config = /^\s*\$\{\{\s*\$config\.(\w+)\s*\}\}\s*$/.exec(node.text)?.[1];
  report({
    ...placeOf(node, whole),
    code: 'hole-in-literal',
    message: `${titleOf(node.pointer)} is read once, when the integration starts, and cannot depend on a message: it takes no \`\${{ }}\`. For a value of \`config\` write \`\${NAME}\``,
    ...(config === undefined ? {} : { offset: undefined, length: undefined, suggestion: `\${${config}}` }),
  });
  return 'reported';
}

function reportAbsent(node: ScalarNode, piece: Piece | undefined, report: Report): 'reported' {
  const name = piece?.kind === 'name' ? piece.name : '';
  report({
    severity: 'error',
    code: 'config-missing',
    pointer: node.pointer,
    ...(piece ? placeOf(node, piece) : {}),
    message: `\`${name}\` is not set, and it is needed as a part of this text`,
  });
  return 'reported';
}

function reportBroken(node: ScalarNode, piece: Piece, report: Report, template: boolean): 'reported' {
  const written = node.text.slice(piece.start, piece.end);
  const [, name, value = ''] = /^\$\{([A-Za-z_]\w*):?[-=?:]([^{}]*)\}$/.exec(written) ?? [];
  if (name !== undefined) {
    const suggestion = `\${${name}}`;
    const message = `A default stands where the value is declared, under \`config:\`, as \`${name}: { default: ${value || '…'} }\`; write \`${suggestion}\` here`;
    report({ ...placeOf(node, piece), code: 'bad-placeholder', message, suggestion });
    return 'reported';
  }
  const field = fieldMeant(written.slice(2, -1));
  const hole = !template
    ? ''
    : field === undefined
      ? ', `${{ … }}` for what a message carries'
      : `, \`\${{ ${field} }}\` for what a message carries`;
  report({
    ...placeOf(node, piece),
    code: 'bad-placeholder',
    message: `\`${written}\` names no value of \`config\`: write \`\${NAME}\`${hole}, or \`$\${\` where the text itself has a \`\${\``,
  });
  return 'reported';
}

/** The field of a message that the words of other systems name: `body.name`, `header.foo`, `json("id")`. */
function fieldMeant(text: string): string | undefined {
  const [, body] = /^\s*(?:(?:in\.)?body\.|!\s*json\(["'])?([A-Za-z_][\w.]*)(?:["']\))?\s*$/.exec(text) ?? [];
  const [, header] = /^\s*(?:in\.)?headers?\.([A-Za-z_]\w*)\s*$/.exec(text) ?? [];
  return header === undefined ? body : `$headers.${header.toLowerCase()}`;
}

function reportUndeclared(
  name: string,
  node: ScalarNode,
  piece: Piece,
  settings: Settings,
  report: Report,
  template: boolean,
): 'reported' {
  const meant = nearest(name, settings.keys());
  // Values of config are mostly written in capitals, and fields of messages are not.
  const field =
    template && /[a-z]/.test(name) ? ` For a field of the body write \`\${{ ${name === 'body' ? '$' : name} }}\`` : '';
  report({
    ...placeOf(node, piece),
    code: 'undeclared-config',
    name,
    message: `\`\${${name}}\` is not declared under \`config:\`${meant === undefined ? `; write there \`${name}: {}\`${field && `.${field}`}` : `; did you mean \`\${${meant}}\`?`}`,
    ...(meant === undefined ? {} : { suggestion: `\${${meant}}` }),
  });
  return 'reported';
}
