const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const braces = /\{([^{}]*)\}/;

/** What is wrong with a glob for file names, in words; `undefined` = nothing. */
export function globProblem(glob: string): string | undefined {
  if (glob === '') return 'An empty glob matches no file; `*` matches all';
  if (/[/\\]/.test(glob))
    return 'The glob is for names in the folder: sub-folders are left alone, and no separator can match';
  if (glob.startsWith('.')) return 'Names that begin with a dot are never taken';
  if (/[{}]/.test(glob.replaceAll(new RegExp(braces, 'g'), '')))
    return 'Each `{` needs its `}`, and groups cannot stand in groups';
  return undefined;
}

function part(text: string): string {
  // Several stars in a row mean the same as one, and would cost time beyond measure.
  return escaped(text.replace(/\*+/g, '*')).replaceAll('\\*', '.*').replaceAll('\\?', '.');
}

/** `*` any text, `?` one character, `{a,b}` one of several; hidden files never match. */
export function compileGlob(glob: string): (name: string) => boolean {
  const pieces = glob.split(new RegExp(braces, 'g'));
  // Splitting by a group puts what is in braces at the odd places.
  const source = pieces.map((piece, index) =>
    index % 2 === 0 ? part(piece) : `(?:${piece.split(',').map(part).join('|')})`,
  );
  const pattern = new RegExp(`^(?!\\.)${source.join('')}$`, 'su');
  return (name) => pattern.test(name);
}
