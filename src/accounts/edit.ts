/**
 * Adds and removes one account of accounts.yaml in its text: what belongs to no other account is left as it is, byte for
 * byte. (Writing a parsed document anew would indent, fold and space the whole file its own way.)
 */
import {
  type Alias,
  Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { CalmcpError } from '../core/errors.ts';
import { isAccountId } from './schema.ts';

type Entry = Readonly<Record<string, unknown>>;

const BY_HAND = 'edit the file by hand';

function parse(text: string): Document {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' });
  if (document.errors.length > 0)
    throw new CalmcpError('CONFIG_INVALID', 'accounts.yaml is not valid YAML, so it was not touched', {
      hint: 'run: calmcp doctor',
    });
  return document as unknown as Document;
}

const keyOf = ({ key }: Pair): string => (isScalar(key) ? String(key.value) : '');

function findPair(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => keyOf(pair) === key);
}

/** Where the text of a node begins, and where it ends without the comment after it. */
function rangeOf(node: unknown): readonly [start: number, end: number] {
  const range = isNode(node) ? node.range : null;
  if (!range) throw new TypeError('a node that was not parsed');
  return [range[0], range[1]];
}

/** With its anchor or tag, which stand before the range of a node. */
function startOf(pair: Pair, text: string): number {
  const [start] = rangeOf(pair.key);
  return isNode(pair.key) && (pair.key as { anchor?: string }).anchor !== undefined
    ? text.lastIndexOf('&', start)
    : start;
}

/** End of the value; of the key (and its colon) where there is none. */
function endOf(pair: Pair, text: string): number {
  const [, keyEnd] = rangeOf(pair.key);
  const end = endOfValue(pair.value, text);
  return end !== undefined && end > keyEnd ? end : text.indexOf(':', keyEnd) + 1;
}

/** The range of a block collection may end anywhere in the white space and the comments after it; that of its parts does not. */
function endOfValue(value: unknown, text: string): number | undefined {
  if (!isNode(value)) return undefined;
  if (!isCollection(value) || value.flow) return rangeOf(value)[1];
  const last: unknown = value.items.at(-1);
  return isPair(last) ? endOf(last as Pair, text) : endOfValue(last, text);
}

/** Lines with their ends. */
const linesOf = (text: string): string[] => text.split(/(?<=\n)/);
const isBlank = (line: string): boolean => line.trim() === '';
const isComment = (line: string): boolean => line.trimStart().startsWith('#');
const indentOf = (line: string): number => line.length - line.trimStart().length;
const eolOf = (text: string): string => (/\r?\n/.exec(text)?.[0] === '\r\n' ? '\r\n' : '\n');

/** Number of the line that holds the character at `offset`. */
function lineAt(lines: readonly string[], offset: number): number {
  let seen = 0;
  for (const [index, line] of lines.entries()) {
    seen += line.length;
    if (offset < seen) return index;
  }
  return lines.length - 1;
}

function columnAt(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

/** Line after the last one of a block, the comments inside of it included: those that are indented by `indent` or more. */
function endOfBlock(lines: readonly string[], lastLine: number, indent: number): number {
  let end = lastLine + 1;
  for (let index = end; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (isBlank(line)) continue;
    if (!isComment(line) || indentOf(line) < indent) break;
    end = index + 1;
  }
  return end;
}

/** What a file says, for a comparison: one account, and everything else. */
function contentOf(document: Document, id: string): { readonly account: string | undefined; readonly rest: string } {
  try {
    const content = (document.toJS() ?? {}) as Record<string, unknown>;
    const accounts = Object.entries((content.accounts ?? {}) as Record<string, unknown>);
    return {
      account: JSON.stringify(accounts.find(([key]) => key === id)?.[1]),
      rest: JSON.stringify([{ ...content, accounts: null }, accounts.filter(([key]) => key !== id)]),
    };
  } catch (cause) {
    throw new CalmcpError('CONFIG_INVALID', 'accounts.yaml has too many aliases', { hint: BY_HAND, cause });
  }
}

/** The first of the texts that changes this account and nothing else. @throws CalmcpError CONFIG_INVALID where none does */
function chosen(before: Document, texts: readonly string[], id: string, entry: Entry | undefined): string {
  const { rest } = contentOf(before, id);
  for (const text of texts) {
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' }) as unknown as Document;
    if (document.errors.length > 0) continue;
    const content = contentOf(document, id);
    if (content.rest === rest && content.account === JSON.stringify(entry)) return text;
  }
  throw new CalmcpError('CONFIG_INVALID', `account ${id} cannot be edited without changing other parts of the file`, {
    hint: BY_HAND,
  });
}

function blockEntry(id: string, entry: Entry, column: number, step: number, eol: string): string[] {
  const text = new Document({ [id]: entry }).toString({ indent: step, lineWidth: 0 });
  return linesOf(text.replaceAll('\n', eol)).map((line) => (isBlank(line) ? line : ' '.repeat(column) + line));
}

/** Puts lines before the line `at`. A last line without an end stays one. */
function insertLines(lines: readonly string[], at: number, added: readonly string[], eol: string): string {
  const [before, after] = [lines.slice(0, at), lines.slice(at)];
  const last = before.at(-1);
  if (last === undefined || last === '' || last.endsWith('\n')) return [...before, ...added, ...after].join('');
  return `${before.join('')}${eol}${added.join('').replace(/\r?\n$/, '')}`;
}

function addToBlock(text: string, map: YAMLMap, id: string, entry: Entry): string[] {
  const lines = linesOf(text);
  const eol = eolOf(text);
  const [first, last] = [map.items[0], map.items.at(-1)];
  if (first === undefined || last === undefined) throw new TypeError('a block map without items');
  const column = columnAt(text, startOf(first, text));
  const inner = map.items.find(({ value }) => isMap(value) && !value.flow && value.items.length > 0)?.value;
  const innerStart = isMap(inner) && inner.items[0] !== undefined ? startOf(inner.items[0], text) : undefined;
  const step = innerStart === undefined ? 2 : Math.max(1, columnAt(text, innerStart) - column);
  const firstLine = lineAt(lines, startOf(first, text));
  const end = endOfBlock(lines, lineAt(lines, endOf(last, text) - 1), column);
  const added = blockEntry(id, entry, column, step, eol);
  const close = insertLines(lines, end, added, eol);
  // As the others are set apart, so is the new one; but a blank line may be taken for the end of the text before (`|+`).
  const apart = lines.slice(firstLine, end).some(isBlank) && !isBlank(lines[end - 1] ?? '');
  return apart ? [insertLines(lines, end, [eol, ...added], eol), close] : [close];
}

/** JSON is YAML, and a flow map is the place where it looks at home. */
function addToFlow(text: string, map: YAMLMap, id: string, entry: Entry): string {
  const written = `${JSON.stringify(id)}: ${JSON.stringify(entry)}`;
  const last = map.items.at(-1);
  if (last === undefined) {
    const [start, end] = rangeOf(map);
    return `${text.slice(0, start)}{ ${written} }${text.slice(end)}`;
  }
  const end = endOf(last, text);
  const comma = /^(?:\s|#.*)*,/.exec(text.slice(end))?.[0];
  return comma === undefined
    ? `${text.slice(0, end)}, ${written}${text.slice(end)}`
    : `${text.slice(0, end + comma.length)} ${written}${text.slice(end + comma.length)}`;
}

/** The first account of a file, under its key `accounts` if there is one. */
function addFirst(text: string, root: YAMLMap | null, pair: Pair | undefined, id: string, entry: Entry): string {
  const eol = eolOf(text);
  const column = root?.items[0] === undefined ? 0 : columnAt(text, startOf(root.items[0], text));
  if (pair === undefined) {
    const lines = linesOf(text);
    const last = root?.items.at(-1);
    const at = last === undefined ? lines.length : endOfBlock(lines, lineAt(lines, endOf(last, text) - 1), column);
    const heading = `${' '.repeat(column)}accounts:${eol}`;
    return insertLines(lines, at, [heading, ...blockEntry(id, entry, column + 2, 2, eol)], eol);
  }
  // `accounts:` and `accounts: {}`: what stands between the colon and the end of the line goes, but for a comment.
  const colon = text.indexOf(':', rangeOf(pair.key)[1]) + 1;
  // A null that is not written has a range all the same: somewhere in what follows.
  const isWritten = isMap(pair.value) || (isScalar(pair.value) && Boolean(pair.value.source));
  const written = isWritten ? rangeOf(pair.value)[1] : colon;
  const emptied = text.slice(0, colon) + text.slice(written);
  const lines = linesOf(emptied);
  return insertLines(lines, lineAt(lines, colon - 1) + 1, blockEntry(id, entry, column + 2, 2, eol), eol);
}

/**
 * Appends an account to the text of an accounts.yaml.
 * @throws CalmcpError INPUT_INVALID for an id that is none or is taken, CONFIG_INVALID for a file that is not fit for it
 */
export function addAccount(text: string, id: string, entry: Entry): string {
  if (!isAccountId(id))
    throw new CalmcpError('INPUT_INVALID', `${JSON.stringify(id.slice(0, 70))} is no account id`, {
      hint: 'an account id is lower-case letters, digits, - and _, at most 63 of them',
    });
  const document = parse(text);
  const root = document.contents;
  if (root !== null && !isMap(root) && !(isScalar(root) && root.value === null))
    throw new CalmcpError('CONFIG_INVALID', 'accounts.yaml is not a map with version and accounts', { hint: BY_HAND });
  const map = isMap(root) ? root : null;
  const pair = map === null ? undefined : findPair(map, 'accounts');
  const accounts = pair?.value;
  if (isMap(accounts) && findPair(accounts, id) !== undefined)
    throw new CalmcpError('INPUT_INVALID', `there is an account ${id} already; it was left as it is`, {
      hint: 'choose another id, or remove that account first',
    });
  const isEmpty = accounts === undefined || accounts === null || (isScalar(accounts) && accounts.value === null);
  if (!isMap(accounts) && !isEmpty)
    throw new CalmcpError('CONFIG_INVALID', 'accounts: in accounts.yaml is not a plain map', { hint: BY_HAND });
  const candidates = (): string[] => {
    if (isMap(accounts) && accounts.items.length > 0 && !accounts.flow) return addToBlock(text, accounts, id, entry);
    if (isMap(accounts) && (accounts.items.length > 0 || map?.flow)) return [addToFlow(text, accounts, id, entry)];
    return map?.flow ? [] : [addFirst(text, map, pair, id, entry)];
  };
  return chosen(document, candidates(), id, entry);
}

/** Which account of the file (or which of its other keys) a node stands in. */
function ownerOf(ancestors: readonly unknown[]): string {
  const keys = ancestors.flatMap((ancestor) =>
    typeof ancestor === 'object' && ancestor !== null && 'key' in ancestor ? [keyOf(ancestor as Pair)] : [],
  );
  return keys[0] === 'accounts' ? (keys[1] ?? 'accounts') : (keys[0] ?? 'the file');
}

/** @throws CalmcpError INPUT_INVALID when something outside of `pair` repeats what is inside of it */
function requireNotShared(document: Document, pair: Pair, id: string): void {
  const inside = new Set<unknown>();
  visit(pair as unknown as Node, (_key, node) => {
    inside.add(node);
  });
  visit(document, {
    Alias(_key, alias: Alias, ancestors) {
      if (inside.has(alias) || !inside.has(alias.resolve(document))) return;
      throw new CalmcpError(
        'INPUT_INVALID',
        `account ${id} cannot be removed: ${ownerOf(ancestors)} repeats a part of it (*${alias.source})`,
        { hint: `move what is marked &${alias.source} out of ${id} first` },
      );
    },
  });
}

function removeFromBlock(text: string, map: YAMLMap, pair: Pair, parent: Pair): string[] {
  const lines = linesOf(text);
  const index = map.items.indexOf(pair);
  const start = startOf(pair, text);
  const column = columnAt(text, start);
  const from = lineAt(lines, start);
  const to = endOfBlock(lines, lineAt(lines, endOf(pair, text) - 1), column + 1);
  let first = from;
  const before = index === 0 ? undefined : map.items[index - 1];
  const textBefore = before === undefined ? 0 : lineAt(lines, endOf(before, text) - 1) + 1;
  const next = lines[to];
  const endsHere = next === undefined || next === '' || isBlank(next) || indentOf(next) < column;
  // One of the two blank lines around it goes too, unless it is the end of the text before (`|+`).
  if (before !== undefined && endsHere && isBlank(lines[from - 1] ?? 'x') && from - 1 >= textBefore) first = from - 1;
  const without = (end: number, keepEnd: boolean): string => {
    const joined = [...lines.slice(0, first), ...lines.slice(end)].join('');
    const kept = keepEnd || end < lines.length || text.endsWith('\n') ? joined : joined.replace(/\r?\n$/, '');
    if (map.items.length > 1) return kept;
    const colon = text.indexOf(':', rangeOf(parent.key)[1]) + 1;
    return `${kept.slice(0, colon)} {}${kept.slice(colon)}`;
  };
  // A text before it that keeps its last line ends (`|+`) must neither gain nor lose any.
  let blank = to;
  while (blank < lines.length && isBlank(lines[blank] ?? '')) blank++;
  return [without(to, false), without(blank, false), without(to, true)];
}

function removeFromFlow(text: string, map: YAMLMap, pair: Pair): string {
  const index = map.items.indexOf(pair);
  const [start, end] = [startOf(pair, text), endOf(pair, text)];
  if (map.items.length === 1) {
    const [mapStart, mapEnd] = rangeOf(map);
    return `${text.slice(0, mapStart)}{}${text.slice(mapEnd)}`;
  }
  const before = map.items[index - 1];
  if (index === map.items.length - 1 && before !== undefined) {
    const between = endOf(before, text);
    // A comment in between is that of the one before: it stays, and so does the comma.
    const from = /[#\n]/.test(text.slice(between, start)) ? start : between;
    return text.slice(0, from) + text.slice(end);
  }
  const comma = /^\s*,[ \t]*(\r?\n)?/.exec(text.slice(end));
  const indent = comma?.[1] === undefined ? 0 : (/(?<=\n)[ \t]*$/.exec(text.slice(0, start))?.[0].length ?? 0);
  return text.slice(0, start - indent) + text.slice(end + (comma?.[0].length ?? 0));
}

/**
 * Takes an account out of the text of an accounts.yaml, with the comments inside of it. Comments above it stay: they may
 * be about more than this account.
 * @throws CalmcpError ACCOUNT_UNKNOWN, INPUT_INVALID where others repeat a part of it, CONFIG_INVALID
 */
export function removeAccount(text: string, id: string): string {
  const document = parse(text);
  const parent = isMap(document.contents) ? findPair(document.contents, 'accounts') : undefined;
  const accounts = parent?.value;
  if (isAlias(accounts))
    throw new CalmcpError('CONFIG_INVALID', 'accounts: in accounts.yaml is not a plain map', { hint: BY_HAND });
  const pair = isMap(accounts) ? findPair(accounts, id) : undefined;
  if (parent === undefined || pair === undefined || !isMap(accounts)) {
    const known = isMap(accounts) ? accounts.items.map(keyOf).join(', ') : '';
    throw new CalmcpError('ACCOUNT_UNKNOWN', `there is no account ${JSON.stringify(id.slice(0, 80))}`, {
      hint: known === '' ? 'accounts.yaml names no accounts yet' : `known: ${known}`,
    });
  }
  requireNotShared(document, pair, id);
  const texts = accounts.flow ? [removeFromFlow(text, accounts, pair)] : removeFromBlock(text, accounts, pair, parent);
  return chosen(document, texts, id, undefined);
}
