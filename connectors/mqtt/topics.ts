/** Topic names and filters (MQTT 5 §4.7). */

const longest = 65_535;

/** What a receiver may take for a broken packet, and end the connection for (MQTT 5 §1.5.4). */
const unspeakable = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;
/** Nearly all texts are so: nothing else is to be looked at. */
const plain = /^[ -~]{1,1000}$/;

/** What is wrong with text that names topics, of whatever kind; `undefined` = nothing. */
export function textProblem(text: string): string | undefined {
  if (plain.test(text)) return undefined;
  if (text === '') return 'is empty';
  if (unspeakable.test(text)) return 'has a control character, or one that is none';
  if (Buffer.byteLength(text) > longest) return `is longer than ${longest} bytes`;
  return undefined;
}

export function filterProblem(filter: string): { readonly message: string; readonly suggestion?: string } | undefined {
  const called = `The topic filter \`${filter}\``;
  const problem = textProblem(filter);
  if (problem !== undefined)
    return { message: problem === 'is empty' ? 'A topic filter is empty' : `${called} ${problem}` };
  const shared = /^\$share\/([^/]*)\/(.*)$/s.exec(filter);
  if (shared) {
    const [, group = '', rest = ''] = shared;
    return {
      message: `The group of a shared subscription has a place of its own: write \`share: ${group}\``,
      suggestion: rest,
    };
  }
  const levels = filter.split('/');
  const foreign = levels.some((level) => level === '*' || level === '**');
  if (foreign) {
    const meant = levels.map((level, at) =>
      level === '**' && at === levels.length - 1 ? '#' : /^\*+$/.test(level) ? '+' : level,
    );
    return {
      message: `${called} has \`*\`, which is no wildcard in MQTT: \`+\` stands for one level, \`#\` at the end for all the rest`,
      suggestion: meant.join('/'),
    };
  }
  if (levels.slice(0, -1).includes('#'))
    return { message: `${called} has \`#\` in the middle: it can only be the last level; \`+\` stands for one level` };
  const partial = levels.find((level) => level.length > 1 && /[+#]/.test(level));
  if (partial !== undefined)
    return { message: `${called} has the level \`${partial}\`: a wildcard is a level of its own` };
  return undefined;
}

/** What is wrong with a topic to publish to. */
export function nameProblem(topic: string): string | undefined {
  const problem = textProblem(topic);
  if (problem !== undefined) return problem;
  if (/[+#]/.test(topic)) return 'has a wildcard: a message is published to one topic';
  if (topic.startsWith('$share/'))
    return 'is a shared subscription: a message is published to the topic behind the group';
  return undefined;
}

export interface Match {
  readonly filter: string;
  /** What the wildcards stood for, in order; what `#` stood for is one text. */
  readonly wildcards: readonly string[];
}

/** Finds the first filter that a topic matches. */
export function compileFilters(filters: readonly string[]): (topic: string) => Match | undefined {
  const compiled = filters.map((filter) => ({ filter, levels: filter.split('/') }));
  return (topic) => {
    const parts = topic.split('/');
    for (const { filter, levels } of compiled) {
      const wildcards = matched(levels, parts);
      if (wildcards) return { filter, wildcards };
    }
    return undefined;
  };
}

function matched(levels: readonly string[], parts: readonly string[]): readonly string[] | undefined {
  const wildcards: string[] = [];
  // Topics that begin with `$` are the broker's: wildcards do not reach them (MQTT 5 §4.7.2).
  if (parts[0]?.startsWith('$') && (levels[0] === '+' || levels[0] === '#')) return undefined;
  for (const [at, level] of levels.entries()) {
    if (level === '#') return [...wildcards, parts.slice(at).join('/')];
    const part = parts[at];
    if (part === undefined) return undefined;
    if (level === '+') wildcards.push(part);
    else if (level !== part) return undefined;
  }
  return levels.length === parts.length ? wildcards : undefined;
}
