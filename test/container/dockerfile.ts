/** A Dockerfile as a list of instructions, by stage: as much of the format as ours uses. */

export interface Instruction {
  readonly line: number;
  /** In capitals. */
  readonly name: string;
  /** `--from=build` and the like, before the arguments. */
  readonly flags: Readonly<Record<string, string>>;
  /** Everything behind, continued lines joined. */
  readonly text: string;
  /** The exec form, where it is written so. */
  readonly exec: readonly string[] | undefined;
}

export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

const known = new Set(
  'FROM RUN CMD LABEL EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG STOPSIGNAL HEALTHCHECK SHELL'.split(' '),
);

export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { image: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const { line, content } of logicalLines(text)) {
    const instruction = instructionOf(line, content);
    if (instruction.name === 'FROM') {
      const [image = '', as, name] = instruction.text.split(/\s+/);
      stages.push({ image, name: as?.toUpperCase() === 'AS' ? name : undefined, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (!stage) throw new Error(`line ${line}: ${instruction.name} stands before FROM`);
    stage.instructions.push(instruction);
  }
  return stages;
}

/** Without comments and empty lines, continued lines joined. */
function logicalLines(text: string): readonly { line: number; content: string }[] {
  const found: { line: number; content: string }[] = [];
  let open: { line: number; content: string } | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    if (raw.trim() === '' || /^\s*#/.test(raw)) continue;
    const continued = raw.endsWith('\\');
    const content = (continued ? raw.slice(0, -1) : raw).trim();
    const one = open ?? { line: index + 1, content: '' };
    one.content = `${one.content} ${content}`.trim();
    if (!open) found.push(one);
    open = continued ? one : undefined;
  }
  return found;
}

function instructionOf(line: number, content: string): Instruction {
  const [word = ''] = content.split(/\s/);
  const name = word.toUpperCase();
  if (!known.has(name)) throw new Error(`line ${line}: ${word} is no instruction`);
  let text = content.slice(word.length).trim();
  const flags: Record<string, string> = {};
  for (let flag = /^--([a-z-]+)=(\S+)\s+/.exec(text); flag; flag = /^--([a-z-]+)=(\S+)\s+/.exec(text)) {
    flags[flag[1] ?? ''] = flag[2] ?? '';
    text = text.slice(flag[0].length);
  }
  return { line, name, flags, text, exec: execForm(text.replace(/^CMD\s+/, '')) };
}

function execForm(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : undefined;
  } catch {
    return undefined;
  }
}

/** The value of an instruction that counts where it stands last. */
export const lastOf = (stage: Stage, name: string): Instruction | undefined =>
  stage.instructions.findLast((one) => one.name === name);
