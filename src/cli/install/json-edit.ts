/** One entry of one object in a JSON file put in, replaced or taken out. All else stays as it is, byte by byte. */
import { CalmcpError } from '../../core/errors.ts';
import { type JsonNode, type JsonSource, type Member, parseJson } from './json-text.ts';

/** An entry: the object of the root that it is in, and its own name. */
export interface EntryPath {
  readonly container: string;
  readonly name: string;
}

interface Found {
  readonly root: JsonNode;
  readonly container: JsonNode | undefined;
  readonly entry: Member | undefined;
}

const isBlank = (text: string): boolean => /^\ufeff?\s*$/.test(text);

function memberOf(object: JsonNode, key: string, { name }: JsonSource): Member | undefined {
  const found = (object.members ?? []).filter((member) => member.key === key);
  if (found.length < 2) return found[0];
  throw new CalmcpError('CONFIG_INVALID', `${name} has ${JSON.stringify(key)} twice; it was left as it is`, {
    hint: 'remove the one that is not meant, then run it again',
  });
}

function find(text: string, path: EntryPath, source: JsonSource): Found {
  const root = parseJson(text, source);
  const requireObject = (node: JsonNode, what: string): void => {
    if (node.members === undefined)
      throw new CalmcpError('CONFIG_INVALID', `${source.name}: ${what} is no object; it was left as it is`, {
        hint: 'look at what stands there; an object begins with {',
      });
  };
  requireObject(root, 'the file');
  const container = memberOf(root, path.container, source)?.value;
  if (container === undefined) return { root, container, entry: undefined };
  requireObject(container, path.container);
  return { root, container, entry: memberOf(container, path.name, source) };
}

/** What the entry says; `undefined` where there is none. @throws CalmcpError CONFIG_INVALID */
export function entryOf(text: string, path: EntryPath, source: JsonSource): unknown {
  return isBlank(text) ? undefined : find(text, path, source).entry?.value.value;
}

const lineStartOf = (text: string, at: number): number => {
  let start = at;
  while (start > 0 && !/[\r\n]/.test(text.charAt(start - 1))) start--;
  return start;
};
/** The white space that the line of `at` begins with. */
const indentOf = (text: string, at: number): string =>
  /^\ufeff?([ \t]*)/.exec(text.slice(lineStartOf(text, at), at))?.[1] ?? '';
const isFirstOnLine = (text: string, at: number): boolean => /^[ \t]*$/.test(text.slice(lineStartOf(text, at), at));

interface Layout {
  readonly lineEnd: string;
  /** One step of indentation; none where the file is a single line. */
  readonly step: string | undefined;
}

function layoutOf(text: string, root: JsonNode): Layout {
  const lineEnd = /\r\n|\n|\r/.exec(text)?.[0] ?? '\n';
  const first = root.members?.find(({ start }) => isFirstOnLine(text, start));
  if (first !== undefined) return { lineEnd, step: indentOf(text, first.start) || '  ' };
  return { lineEnd, step: (root.members ?? []).length === 0 ? '  ' : undefined };
}

/** A value as it is written at an indentation, the file's own way. */
function written(value: unknown, indent: string, { lineEnd, step }: Layout): string {
  return step === undefined
    ? JSON.stringify(value)
    : JSON.stringify(value, null, step).replaceAll('\n', `${lineEnd}${indent}`);
}

/** After the comments on the rest of the line: what somebody wrote beside a member belongs to it. */
function afterLineComments(text: string, from: number, { withComments }: JsonSource): number {
  const comments = /^(?:[ \t]*(?:\/\*[^\r\n]*?\*\/|\/\/[^\r\n]*))+/.exec(text.slice(from));
  return withComments && comments ? from + comments[0].length : from;
}

const put = (text: string, at: number, added: string, until = at): string =>
  text.slice(0, at) + added + text.slice(until);

function insert(
  text: string,
  object: JsonNode,
  key: string,
  value: unknown,
  layout: Layout,
  source: JsonSource,
): string {
  const name = `${JSON.stringify(key)}:`;
  const last = object.members?.at(-1);
  if (last === undefined) {
    // Comments may stand in an empty object: they stay, above.
    const inside = text.slice(object.start + 1, object.end - 1);
    const outer = indentOf(text, object.start);
    const { lineEnd, step } = layout;
    if (step === undefined) return put(text, object.end - 1, `${name}${written(value, '', layout)}`);
    const indent = outer + step;
    const added = `${lineEnd}${indent}${name} ${written(value, indent, layout)}${lineEnd}${outer}`;
    return put(text, object.start + 1 + inside.trimEnd().length, added, object.end - 1);
  }
  const isInline = layout.step === undefined || !isFirstOnLine(text, last.start);
  if (isInline) {
    const gap = layout.step === undefined ? '' : ' ';
    const added = `,${gap}${name}${gap}${JSON.stringify(value)}`;
    return last.comma === undefined ? put(text, last.value.end, added) : put(text, last.comma, added);
  }
  const indent = indentOf(text, last.start);
  const added = `${layout.lineEnd}${indent}${name} ${written(value, indent, layout)}`;
  if (last.comma !== undefined) return put(text, afterLineComments(text, last.comma + 1, source), `${added},`);
  const withEntry = put(text, afterLineComments(text, last.value.end, source), added);
  return put(withEntry, last.value.end, ',');
}

/** @returns the new text; an empty one becomes a file of its own. @throws CalmcpError CONFIG_INVALID */
export function setEntry(text: string, path: EntryPath, value: unknown, source: JsonSource): string {
  if (isBlank(text)) {
    const bom = text.startsWith('\ufeff') ? '\ufeff' : '';
    const lineEnd = /\r\n/.test(text) ? '\r\n' : '\n';
    const whole = JSON.stringify({ [path.container]: { [path.name]: value } }, null, 2);
    return `${bom}${whole.replaceAll('\n', lineEnd)}${lineEnd}`;
  }
  const { root, container, entry } = find(text, path, source);
  const layout = layoutOf(text, root);
  if (container === undefined) return insert(text, root, path.container, { [path.name]: value }, layout, source);
  if (entry === undefined) return insert(text, container, path.name, value, layout, source);
  const isInline = !isFirstOnLine(text, entry.start);
  const { start, end } = entry.value;
  return put(text, start, isInline ? JSON.stringify(value) : written(value, indentOf(text, entry.start), layout), end);
}

/** @returns the text without the entry; the same text where there is none. @throws CalmcpError CONFIG_INVALID */
export function removeEntry(text: string, path: EntryPath, source: JsonSource): string {
  if (isBlank(text)) return text;
  const { container, entry } = find(text, path, source);
  if (container?.members === undefined || entry === undefined) return text;
  const after = afterLineComments(text, (entry.comma ?? entry.value.end - 1) + 1, source);
  const isFirst = isFirstOnLine(text, entry.start);
  const lineEnd = /^[ \t]*(\r\n|\n|\r)/.exec(text.slice(after));
  if (entry.comma !== undefined) {
    if (isFirst && lineEnd) return put(text, lineStartOf(text, entry.start), '', after + lineEnd[0].length);
    const gap = isFirst ? '' : (/^[ \t]*/.exec(text.slice(entry.comma + 1))?.[0] ?? '');
    return put(text, entry.start, '', entry.comma + 1 + gap.length);
  }
  const previous = container.members.at(-2);
  // With the white space before it, and where it has lines of its own the end of the line above: not otherwise, as that line
  // may end in a comment.
  const space = isFirst && lineEnd ? /(?:\r\n|\n|\r)[ \t]*$/ : /[ \t]*$/;
  const before = text.slice(0, entry.start).replace(space, '').length;
  const without = put(text, before, '', after);
  if (previous?.comma !== undefined) return put(without, previous.comma, '', previous.comma + 1);
  const inside = without.slice(container.start + 1, container.end - 1 - (after - before));
  return inside.trim() === '' ? put(without, container.start + 1, '', container.start + 1 + inside.length) : without;
}
