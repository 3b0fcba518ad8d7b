import type { Finding } from '../core/written.ts';
import { entryOf, isNothing, type Node, pointerSegments } from '../schema/node.ts';
import { keyPatterns } from '../schema/wording.ts';

const unread: ReadonlySet<string> = new Set(['misplaced-key', 'unknown-key', 'unknown-step', 'two-kinds']);

/** Tells which findings of the compiler follow from mistakes that were found before: one mistake, one message. */
export class Consequences {
  readonly #root: Node;
  /** Where the reader made a value up. */
  readonly #standIns = new Set<string>();
  readonly #broken = new Set<string>();
  /** Those whose value, not only its key or something beside it, is wrong. */
  readonly #values = new Set<string>();
  /** Those of keys that nobody knew what to do with, with their codes. */
  readonly #unread = new Map<string, string>();
  #lost: ReadonlySet<string> | undefined;

  constructor(root: Node) {
    this.#root = root;
  }

  standIn(pointer: string): void {
    this.#standIns.add(pointer);
  }

  mistake({ severity, code, pointer, at, offset }: Finding): void {
    if (severity !== 'error') return;
    if (unread.has(code)) this.#unread.set(pointer, code);
    this.#broken.add(pointer);
    // A part of a text that is wrong says nothing about the rest.
    if (at !== 'key' && offset === undefined) this.#values.add(pointer);
    this.#lost = undefined;
  }

  /** Whether a finding only follows from what else was found. */
  includes(finding: Finding): boolean {
    const { code, name, pointer } = finding;
    if (this.#values.has(pointer) || this.#isMadeUp(pointer)) return true;
    if (this.#broken.size === 0) return false;
    switch (code) {
      case 'unknown-variable':
        return (
          name !== undefined && (this.#lostNames().has(name) || this.#isNameless() || this.#isGiven(name, pointer))
        );
      case 'unknown-endpoint':
        return name !== undefined && this.#isNamed('endpoints', name);
      case 'unknown-flow':
        return name !== undefined && this.#isNamed('flows', name);
      // What is claimed may have been made up.
      case 'already-taken':
        return [...this.#broken].some((one) => one.startsWith(`${pointer}/`));
      case 'not-settling':
        return name !== undefined && this.#isSourceBroken(name);
      case 'unused-flow':
        return name !== undefined && this.#isRun(name);
      case 'no-otherwise':
        return [...this.#unread.keys()].some((one) => one.startsWith(`${pointer}/`));
      // What is missing may be among what nobody knew.
      case 'missing-kind':
      case 'missing-key':
        return [...this.#unread.keys()].some((one) => parentOf(one) === pointer);
      case 'attempts-beyond-deadline':
      case 'not-repeatable':
      case 'no-event':
      case 'no-event-type':
      case 'no-undo':
      case 'impossible':
      case 'bad-option':
        return this.#isUnreadAround(pointer);
      case 'unreachable':
        return [...this.#unread.keys()].some((one) => parentOf(one) === stepBefore(pointer));
      case 'guards-nothing':
        return this.#isUnreadIn(listAround(pointer));
      case 'unknown-error-code':
        return finding.suggestion === undefined && this.#unread.size > 0;
      case 'no-source':
        return this.#isSourceBroken(pointerSegments(pointer)[1] ?? '');
      case 'missing-operation':
        return this.#isWrittenNear(pointer, name);
      case 'nobody-reads':
        return this.#isReaderBroken();
      default:
        return false;
    }
  }

  /** Whether the value there is a mistake itself. */
  isWrong(pointer: string): boolean {
    return this.#values.has(pointer);
  }

  /** Whether something of that name stands, or may be declared, where nobody looks for it. */
  isUnread(name: string): boolean {
    return [...this.#unread.keys()].some(
      (pointer) => pointerSegments(pointer).at(-1) === name || entryOf(nodeAt(this.#root, pointer), name) !== undefined,
    );
  }

  /** Whether the value only has another meaning because of a key beside it that nobody knows, or that is empty. */
  isMovedBy(pointer: string): boolean {
    const owner = parentOf(pointer);
    return [...this.#unread.keys()].some((one) => {
      const node = nodeAt(this.#root, one);
      return parentOf(one) === owner && node !== undefined && isNothing(node);
    });
  }

  /** Whether something beside it is not known. */
  isBesideUnread(pointer: string): boolean {
    return [...this.#unread.keys()].some((one) => parentOf(one) === parentOf(pointer));
  }

  #isUnreadIn(pointer: string | undefined): boolean {
    return pointer !== undefined && [...this.#unread.keys()].some((one) => one.startsWith(`${pointer}/`));
  }

  /** Whether something in the step, or at the endpoint that it names, is not known. */
  #isUnreadAround(pointer: string): boolean {
    const step = stepOf(pointer);
    const calls = step === undefined ? [] : namesUnder(nodeAt(this.#root, step), ['endpoint']);
    return this.#isUnreadIn(step) || calls.some((name) => this.#isUnreadIn(`/endpoints/${name}`));
  }

  /** Whether the variable comes from a source, or a step, that could not be read. */
  #isGiven(name: string, pointer: string): boolean {
    const [, flow = ''] = pointerSegments(pointer);
    if (['params', 'query', 'event', 'identity'].includes(name)) return this.#isSourceBroken(flow);
    if (name === 'failed') return this.#isUnreadIn(`/flows/${flow}`);
    // `itno: lines` would have named it.
    return [...this.#unread.keys()].some((one) => {
      const node = nodeAt(this.#root, one);
      return node?.kind === 'scalar' && node.text === name;
    });
  }

  /** Whether something of that name may have been declared there, had it been read. */
  #isNamed(where: string, name: string): boolean {
    return this.#values.has(`/${where}`) || isWritten(entryOf(this.#root, where), name) || this.isUnread(name);
  }

  /** Whether the flow has a source, or something names it to run it, that could not be read. */
  #isRun(name: string): boolean {
    const flow = entryOf(entryOf(this.#root, 'flows'), name);
    const places = [...this.#unread.keys()].map(pointerSegments);
    const hasUnread = places.some(([top, owner, , inner]) => top === 'flows' && owner === name && inner === undefined);
    return hasUnread || entryOf(flow, 'from') !== undefined || namesUnder(this.#root, ['flow']).includes(name);
  }

  /** Whether the source of the flow is not what it seems. */
  #isSourceBroken(flow: string): boolean {
    const inside = [...this.#broken].map(pointerSegments).some(([top, name, part]) => {
      return top === 'flows' && name === flow && (part === undefined || part === 'from');
    });
    const [unreadFlow] = [...this.#unread.keys()]
      .map(pointerSegments)
      .filter(([top, name, , inner]) => top === 'flows' && name === flow && inner === undefined);
    return inside || unreadFlow !== undefined;
  }

  /** Whether a source may have been there, had it been read. */
  #isReaderBroken(): boolean {
    return [...this.#broken].some((pointer) => {
      const [top, name, part, inner] = pointerSegments(pointer);
      const code = this.#unread.get(pointer);
      if (top !== 'flows')
        return part === undefined && (name === undefined ? code !== undefined : code === 'misplaced-key');
      return part === undefined || part === 'from' || (inner === undefined && code !== undefined);
    });
  }

  /** Whether something that nobody knew stands in the call, or at the endpoint: it may be what is missing. */
  #isWrittenNear(pointer: string, endpoint: string | undefined): boolean {
    const places = [pointer.slice(0, pointer.lastIndexOf('/')), ...(endpoint ? [`/endpoints/${endpoint}`] : [])];
    return [...this.#unread.keys()].some((one) => places.some((place) => one.startsWith(`${place}/`)));
  }

  /** Whether the name of some result is not there yet. */
  #isNameless(): boolean {
    return [...this.#values].some((pointer) => /\/(as|into|variables)$/.test(pointer));
  }

  #isMadeUp(pointer: string): boolean {
    for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
      if (this.#standIns.has(at)) return true;
      if (at === '') return false;
    }
  }

  /** Names of results that the steps with a mistake would have given. */
  #lostNames(): ReadonlySet<string> {
    this.#lost ??= new Set([
      ...[...this.#broken].flatMap((pointer) => namesGiven(this.#stepAround(pointer))),
      ...[...this.#unread.keys()].flatMap((pointer) => namesGiven(nodeAt(this.#root, pointer))),
    ]);
    return this.#lost;
  }

  /** The innermost item of a list, or the flow, around a pointer. */
  #stepAround(pointer: string): Node | undefined {
    let node: Node | undefined = this.#root;
    let step: Node | undefined;
    for (const segment of pointerSegments(pointer)) {
      node = node?.kind === 'list' ? node.items[Number(segment)] : entryOf(node, segment);
      if (node === undefined) break;
      if (node.kind === 'map' && /^\d+$/.test(segment)) step = node;
    }
    return step;
  }
}

const parentOf = (pointer: string): string => pointer.slice(0, pointer.lastIndexOf('/'));

/** The innermost step that a pointer leads into: `/flows/f/steps/0`. */
const stepOf = (pointer: string): string | undefined => /^.*\/\d+(?=\/|$)/.exec(pointer)?.[0];

const listAround = (pointer: string): string | undefined => {
  const step = stepOf(pointer);
  return step === undefined ? undefined : parentOf(step);
};

function stepBefore(pointer: string): string | undefined {
  const step = stepOf(pointer);
  if (step === undefined) return undefined;
  return `${parentOf(step)}/${Number(step.slice(step.lastIndexOf('/') + 1)) - 1}`;
}

function nodeAt(root: Node, pointer: string): Node | undefined {
  let node: Node | undefined = root;
  for (const segment of pointerSegments(pointer)) {
    node = node?.kind === 'list' ? node.items[Number(segment)] : entryOf(node, segment);
  }
  return node;
}

const spelt = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** Whether a name is declared, be it in another spelling where its own was refused. */
const isWritten = (map: Node | undefined, name: string): boolean =>
  map?.kind === 'map' &&
  map.entries.some(({ key }) => key === name || (!keyPatterns.name.test(key) && spelt(key) === spelt(name)));

/** Names of results. */
const namesGiven = (node: Node | undefined): readonly string[] => namesUnder(node, ['as', 'into']);

/** The texts under some keys, wherever they stand, and the names of variables. */
function namesUnder(node: Node | undefined, keys: readonly string[]): readonly string[] {
  if (node === undefined || node.kind === 'scalar') return [];
  if (node.kind === 'list') return node.items.flatMap((item) => namesUnder(item, keys));
  return node.entries.flatMap(({ key, value }) => {
    if (keys.includes(key) && value.kind === 'scalar') return [value.text];
    if (key === 'variables' && value.kind === 'map') return value.entries.map((entry) => entry.key);
    return namesUnder(value, keys);
  });
}
