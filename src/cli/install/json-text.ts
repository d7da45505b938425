/** JSON with the place of everything in it: what an edit that keeps the rest of a file needs. */
import { CalmcpError } from '../../core/errors.ts';

export interface Member {
  readonly key: string;
  /** Where the key begins. */
  readonly start: number;
  readonly value: JsonNode;
  /** Where the comma after it is, when there is one. */
  readonly comma: number | undefined;
}

export interface JsonNode {
  readonly start: number;
  /** After its last character. */
  readonly end: number;
  /** Of an object, as they stand. */
  readonly members?: readonly Member[];
  /** What it says. */
  readonly value: unknown;
}

export interface JsonSource {
  /** What messages call the file. */
  readonly name: string;
  /**
   * Comments and a comma after the last one, as VS Code writes them:
   * https://code.visualstudio.com/docs/languages/json#_json-with-comments
   */
  readonly withComments: boolean;
}

/** A file that is nested deeper is nobody's configuration. */
const MAX_DEPTH = 200;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
// RFC 8259, section 7: control characters stand in a string escaped.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;

/** Where the next thing begins that is neither space nor, where they are read, comment. */
function skip(text: string, from: number, withComments: boolean): number {
  let at = from;
  for (;;) {
    while (/[ \t\r\n]/.test(text.charAt(at))) at++;
    if (!withComments || text[at] !== '/') return at;
    if (text[at + 1] === '/') while (at < text.length && !/[\r\n]/.test(text.charAt(at))) at++;
    else if (text[at + 1] === '*') {
      const end = text.indexOf('*/', at + 2);
      if (end < 0) return at;
      at = end + 2;
    } else return at;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** @throws CalmcpError CONFIG_INVALID with line and column, and nothing of what stands in the file */
export function parseJson(text: string, { name, withComments }: JsonSource): JsonNode {
  const fail = (at: number, reason: string): never => {
    const before = text.slice(text.startsWith('\ufeff') ? 1 : 0, at).split(/\r\n|\r|\n/);
    const place = `${name}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    throw new CalmcpError('CONFIG_INVALID', `${place} not valid JSON: ${reason}; it was left as it is`, {
      hint: 'mend that line, then run it again',
    });
  };
  const next = (from: number): number => {
    const at = skip(text, from, withComments);
    if (text[at] === '/' && /[/*]/.test(text.charAt(at + 1)))
      fail(at, withComments ? 'a comment that does not end' : 'a comment, which this file may not have');
    return at;
  };
  const parseString = (at: number): { readonly end: number; readonly value: string } => {
    const raw = matchAt(STRING, text, at) ?? fail(at, 'text in double quotes is expected, or is not well-formed, here');
    return { end: at + raw.length, value: JSON.parse(raw) as string };
  };
  const parseObject = (start: number, depth: number): JsonNode => {
    const members: Member[] = [];
    let at = next(start + 1);
    for (;;) {
      if (text[at] === '}' && (members.length === 0 || withComments)) break;
      const key = parseString(at);
      const colon = next(key.end);
      if (text[colon] !== ':') fail(colon, 'a colon is missing');
      const value = parseValue(next(colon + 1), depth + 1);
      const after = next(value.end);
      const comma = text[after] === ',' ? after : undefined;
      members.push({ key: key.value, start: at, value, comma });
      if (comma !== undefined) at = next(comma + 1);
      else if (text[after] === '}') at = after;
      else fail(after, 'a comma or } is missing');
      if (comma === undefined) break;
    }
    return {
      start,
      end: at + 1,
      members,
      value: Object.fromEntries(members.map(({ key, value }) => [key, value.value])),
    };
  };
  const parseArray = (start: number, depth: number): JsonNode => {
    const items: unknown[] = [];
    let at = next(start + 1);
    for (;;) {
      if (text[at] === ']' && (items.length === 0 || withComments)) break;
      const item = parseValue(at, depth + 1);
      items.push(item.value);
      at = next(item.end);
      if (text[at] === ']') break;
      if (text[at] !== ',') fail(at, 'a comma or ] is missing');
      at = next(at + 1);
    }
    return { start, end: at + 1, value: items };
  };
  const parseValue = (start: number, depth: number): JsonNode => {
    if (depth > MAX_DEPTH) fail(start, 'it is nested too deep');
    if (text[start] === '{') return parseObject(start, depth);
    if (text[start] === '[') return parseArray(start, depth);
    if (text[start] === '"') return { start, ...parseString(start) };
    const raw = matchAt(WORD, text, start) ?? matchAt(NUMBER, text, start);
    if (raw === undefined) return fail(start, start >= text.length ? 'it ends too soon' : 'a value is missing');
    return { start, end: start + raw.length, value: JSON.parse(raw) };
  };
  const root = parseValue(next(text.startsWith('\ufeff') ? 1 : 0), 0);
  const rest = next(root.end);
  if (rest < text.length) fail(rest, 'something follows after its end');
  return root;
}
