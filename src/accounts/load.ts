/** accounts.yaml: read, checked as a whole, every problem told at once with its place in the file. */
import { isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import type { Limits } from '../core/budget.ts';
import { CalmcpError } from '../core/errors.ts';
import type { ProviderDefinition } from '../core/provider.ts';
import {
  type AccountSettings,
  accountSchema,
  type Defaults,
  defaultsSchema,
  isAccountId,
  registrationsSchema,
} from './schema.ts';

const MAX_ALIASES = 100;
const ROOT_KEYS: readonly string[] = ['version', 'defaults', 'registrations', 'accounts'];

export interface AccountConfig {
  readonly id: string;
  readonly provider: ProviderDefinition;
  readonly settings: AccountSettings;
  /** The provider's own options, as its schema gives them. */
  readonly options: Record<string, unknown>;
}

export interface Config {
  readonly defaults: Defaults;
  /** Limits of app registrations, by client id in lower case. */
  readonly registrations: ReadonlyMap<string, Limits>;
  /** In the order of the file. */
  readonly accounts: readonly AccountConfig[];
}

export interface ConfigSource {
  /** How messages call the file. */
  readonly name: string;
  readonly text: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Content of a file that `${FILE:path}` names, or `undefined` where it cannot be read. */
  readonly readReference: (path: string) => string | undefined;
  /**
   * Told of a reference without a value, instead of a problem: for a file that is looked at where its secrets are not. What
   * comes out is not fit to be opened.
   */
  readonly onMissing?: ((reference: string) => void) | undefined;
}

const REFERENCE = /\$\{([A-Za-z]+):([^}]*)\}/g;

/**
 * @throws CalmcpError CONFIG_INVALID with all problems, each as `file:line:column path: what is wrong`. No value of the
 * file is repeated, because any value may be a secret.
 */
export function parseConfig(source: ConfigSource, providers: readonly ProviderDefinition[]): Config {
  const lines = new LineCounter();
  const document = parseDocument(source.text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const problems: { readonly offset: number; readonly text: string }[] = [];

  /** Names of the environment that the file refers to and that are not set. */
  const missing = new Set<string>();

  const problem = (offset: number, text: string): void => {
    problems.push({ offset, text });
  };
  const finish = (): void => {
    if (problems.length === 0) return;
    const told = problems
      .sort((a, b) => a.offset - b.offset)
      .map(({ offset, text }) => {
        const { line, col } = lines.linePos(offset);
        return `${source.name}:${line}:${col} ${text}`;
      });
    throw new CalmcpError(
      'CONFIG_INVALID',
      `${source.name} has ${told.length === 1 ? 'a problem' : `${told.length} problems`}`,
      {
        problems: told,
        hint:
          missing.size === 0
            ? 'calmcp init --print shows how it can look'
            : `set what is missing: ${[...missing].map((name) => `export ${name}=…`).join(', ')}`,
      },
    );
  };

  // Of several complaints about one place the first one is the cause.
  const places = new Set<number>();
  for (const error of document.errors.filter(({ pos }) => !places.has(pos[0]) && places.add(pos[0])))
    problem(error.pos[0], `not valid YAML: ${yamlSentence(error.code)}`);
  finish();

  const references = resolveReferences(document.contents as Node | null, source, problem, missing);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    problem(0, `too many aliases: at most ${MAX_ALIASES} are followed`);
    finish();
  }

  /** Where a path of keys stands; the nearest parent where it is missing. */
  const offsetOf = (path: readonly PropertyKey[], key = false): number => {
    let node: unknown = document.contents;
    let offset = 0;
    for (const [index, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(document);
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
        if (pair === undefined) break;
        const last = index === path.length - 1;
        const target = (last && key) || pair.value === null ? pair.key : pair.value;
        offset = (target as Node).range?.[0] ?? offset;
        node = pair.value;
      } else {
        const child = (node as { items?: readonly Node[] } | null)?.items?.[Number(step)];
        if (child === undefined) break;
        offset = child.range?.[0] ?? offset;
        node = child;
      }
    }
    return offset;
  };

  const check = <T>(
    schema: z.ZodType<T>,
    value: unknown,
    path: readonly PropertyKey[],
    known: readonly string[],
  ): T | undefined => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of inDetail(result.error.issues)) {
      const at = [...path, ...issue.path];
      if (issue.code === 'unrecognized_keys') {
        for (const key of issue.keys)
          problem(
            offsetOf([...at, key], true),
            `${[...at, key].join('.')}: unknown key${didYouMean(key, issue.path.length === 0 ? known : [])}`,
          );
        continue;
      }
      const reference = references.get(at.join('\0'));
      // Its value is missing, which has been told.
      if (reference?.resolved === false) continue;
      const from = reference === undefined ? '' : ` (value of ${reference.text})`;
      problem(offsetOf(at), `${at.join('.')}: ${sentence(issue)}${from}`);
    }
    return undefined;
  };

  const root = content === null || content === undefined ? {} : content;
  if (!isPlainObject(root)) {
    problem(0, 'the file is not a map with version and accounts');
    finish();
    throw new TypeError('unreachable');
  }
  for (const key of Object.keys(root))
    if (!ROOT_KEYS.includes(key)) problem(offsetOf([key], true), `${key}: unknown key${didYouMean(key, ROOT_KEYS)}`);
  if (root.version !== 1) problem(offsetOf(['version']), 'version: write version: 1');
  const defaults = check(defaultsSchema, root.defaults ?? {}, ['defaults'], Object.keys(defaultsSchema.shape)) ?? {};

  const limits = check(registrationsSchema, root.registrations ?? {}, ['registrations'], []) ?? {};
  const registrations = new Map(Object.entries(limits).map(([id, each]) => [id.toLowerCase(), each]));

  const accounts: AccountConfig[] = [];
  const entries = root.accounts ?? {};
  if (!isPlainObject(entries)) problem(offsetOf(['accounts']), 'accounts: is not a map of account id to account');
  else
    for (const [id, entry] of Object.entries(entries)) {
      const path = ['accounts', id];
      if (!isAccountId(id))
        problem(
          offsetOf(path, true),
          `accounts.${printable(id)}: an account id is lower-case letters, digits, - and _, at most 63 of them`,
        );
      if (!isPlainObject(entry)) {
        problem(offsetOf(path), `accounts.${printable(id)}: is not a map with provider and its options`);
        continue;
      }
      const provider = providers.find(({ type }) => type === entry.provider);
      if (provider === undefined) {
        const types = providers.map(({ type }) => type).join(', ');
        problem(
          offsetOf([...path, 'provider']),
          `accounts.${printable(id)}.provider: ${entry.provider === undefined ? 'is missing' : 'is unknown'}; one of ${types}`,
        );
        continue;
      }
      const schema = accountSchema(provider);
      const value = check(schema, entry, path, Object.keys(schema.shape));
      if (value === undefined) continue;
      const wrong = provider.check?.(value);
      if (wrong !== undefined) problem(offsetOf(path, true), `${path.join('.')}: ${wrong}`);
      accounts.push({ id, provider, settings: value as unknown as AccountSettings, options: value });
    }
  for (const [id, first] of samePorts(accounts))
    problem(
      offsetOf(['accounts', id, 'child', 'port']),
      `accounts.${printable(id)}.child.port: is that of accounts.${printable(first)} as well; give each a port of its own, or auto`,
    );
  // With an account that has problems of its own, nobody knows whose it is.
  if (problems.length === 0)
    for (const id of unusedRegistrations(Object.keys(limits), accounts))
      problem(offsetOf(['registrations', id], true), `registrations.${printable(id)}: no account has this client id`);
  finish();
  return { defaults, registrations, accounts };
}

/** Accounts whose child server would listen where that of an earlier account does, each with that earlier one. */
function samePorts(accounts: readonly AccountConfig[]): readonly (readonly [id: string, first: string])[] {
  const owners = new Map<number, string>();
  return accounts.flatMap(({ id, provider, options }) => {
    const spec = provider.childSpec?.(options, id);
    if (spec?.transport !== 'http' || spec.port === 0) return [];
    const first = owners.get(spec.port);
    if (first === undefined) owners.set(spec.port, id);
    return first === undefined ? [] : [[id, first] as const];
  });
}

function unusedRegistrations(clientIds: readonly string[], accounts: readonly AccountConfig[]): readonly string[] {
  const used = new Set(
    accounts.map(({ provider, options }) => provider.registration?.(options).clientId.toLowerCase()),
  );
  return clientIds.filter((id) => !used.has(id.toLowerCase()));
}

interface Reference {
  readonly text: string;
  readonly resolved: boolean;
}

/** Replaces `${ENV:NAME}` and `${FILE:path}` in scalar values, once: what comes out of them is not looked at again. */
function resolveReferences(
  contents: Node | null,
  source: ConfigSource,
  problem: (offset: number, text: string) => void,
  missing: Set<string>,
): ReadonlyMap<string, Reference> {
  const references = new Map<string, Reference>();
  if (contents === null) return references;
  visit(contents, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      const offset = node.range?.[0] ?? 0;
      const steps = ancestors.flatMap((ancestor) =>
        'key' in ancestor && isScalar(ancestor.key) ? [String(ancestor.key.value)] : [],
      );
      const path = typeof key === 'number' ? [...steps, String(key)] : steps;
      const original = node.value;
      node.value = original.replaceAll(REFERENCE, (reference, kind: string, name: string) => {
        const at = path.join('\0');
        const before = references.get(at)?.resolved ?? true;
        references.set(at, { text: reference, resolved: false });
        if (kind !== 'ENV' && kind !== 'FILE') {
          problem(offset, `${path.join('.')}: ${reference} is unknown; use \${ENV:NAME} or \${FILE:path}`);
          return '';
        }
        const value = kind === 'ENV' ? source.env[name] : source.readReference(name)?.replace(/\r?\n$/, '');
        if (value === undefined || value === '') {
          if (source.onMissing !== undefined) {
            source.onMissing(reference);
            return '';
          }
          if (kind === 'ENV') missing.add(name);
          problem(
            offset,
            `${path.join('.')}: ${reference} is ${value === '' ? 'empty' : kind === 'ENV' ? 'not set' : 'not readable'}`,
          );
        } else references.set(at, { text: reference, resolved: before });
        return value ?? '';
      });
    },
  });
  return references;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A key of the file as it may stand in a message. */
function printable(key: string): string {
  const short = key.length > 70 ? `${key.slice(0, 70)}…` : key;
  return short.replaceAll(/[\p{Cc}\u2028\u2029]/gu, '?');
}

function yamlSentence(code: string): string {
  const sentences: Readonly<Record<string, string>> = {
    DUPLICATE_KEY: 'this key occurs twice',
    TAB_AS_INDENT: 'indent with spaces, not with tabs',
    BAD_INDENT: 'the indentation does not fit',
    MISSING_CHAR: 'a character is missing here (a closing quote or bracket?)',
    MULTIPLE_DOCS: 'there is a second document; keep one',
    BAD_ALIAS: 'this alias names no anchor',
    UNEXPECTED_TOKEN: 'this is not expected here',
    MULTILINE_IMPLICIT_KEY: 'a key must stand on one line',
    BLOCK_AS_IMPLICIT_KEY: 'a map must not stand inside a key (a missing line break?)',
  };
  return sentences[code] ?? code.toLowerCase().replaceAll('_', ' ');
}

/** A map that may be something else as well (`true`, a name): what is wrong inside of it, where only one form is a map. */
function inDetail(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union') return [issue];
    const maps = issue.errors.filter((form) =>
      form.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
    );
    const [map] = maps;
    if (map === undefined || maps.length > 1) return [issue];
    return inDetail(map.map((each) => ({ ...each, path: [...issue.path, ...each.path] })));
  });
}

/** How messages of our own schemas begin; those of zod never do. */
const OWN_WORDS = /^(?:is|must|has|needs|write) /;

/** A zod issue in words that do not repeat the value. */
function sentence(issue: z.core.$ZodIssue): string {
  if (OWN_WORDS.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is missing or not ${article(issue.expected)}`
        : `is not ${article(issue.expected)}`;
    case 'invalid_value':
      return `is not one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return 'must not be empty';
    case 'invalid_union':
      return 'has none of the allowed forms';
    default:
      return `is not valid: ${issue.message}`;
  }
}

function article(type: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    object: 'a map',
    array: 'a list',
    boolean: 'true or false',
    number: 'a number',
  };
  return names[type] ?? type;
}

function didYouMean(key: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance, name }) => distance <= Math.max(2, name.length / 3))
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined ? '' : `; did you mean ${near.name}?`;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}
