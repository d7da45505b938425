/**
 * What a model does, as a script: it knows what the person wants and what the server says of itself, and reads everything else
 * out of the answers. No id, account or date is written here.
 */
import type { Client } from '@modelcontextprotocol/client';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import type { McpSession, Told } from './mcp-session.ts';

/** Clients feed their model one of the two. */
export type Fed = 'structured' | 'text';

/** What the person says. */
export interface Wish {
  readonly title: string;
  readonly minutes: number;
  readonly guest: string;
  readonly when: string;
  /** Which of the accounts: the kind of calendar that they call theirs. */
  readonly kind: string;
}

export interface Meter {
  tokens: number;
  calls: number;
}

type Tool = Awaited<ReturnType<Client['listTools']>>['tools'][number];
type Input = Readonly<Record<string, unknown>>;

interface Span {
  readonly start: string;
  readonly end: string;
}

interface Free {
  readonly slots: readonly (Span & { readonly isCertain: boolean })[];
  /** Whose time is unknown, and the server's words for it. */
  readonly unknown: readonly { readonly account: string; readonly words: string }[];
}

interface Done {
  readonly outcome: string;
  readonly id?: string | undefined;
  readonly version?: string | undefined;
  readonly mails: readonly string[];
  readonly needs: readonly string[];
  readonly conflicts: number;
}

interface Owned {
  readonly account: string;
  readonly kind: string;
  readonly canWrite: boolean;
}

const tokensOf = (value: unknown): number => encode(typeof value === 'string' ? value : JSON.stringify(value)).length;

export interface Model {
  readonly meter: Meter;
  accounts(): Promise<readonly Owned[]>;
  freeTime(wish: Wish): Promise<Free>;
  create(wish: Wish, account: string, at: Span, more?: Input): Promise<Done>;
  move(event: Done, to: Span, more?: Input): Promise<Done>;
  cancel(event: Done, more?: Input): Promise<Done>;
  /** @returns the words that are for the person */
  signIn(account: string): Promise<string>;
}

/** What is said to the person where nothing may be booked: the instructions say that unknown time is never free. */
export function answerTo({ slots, unknown }: Free): { readonly say: string } | { readonly book: readonly Span[] } {
  const certain = slots.filter(({ isCertain }) => isCertain);
  if (unknown.length === 0 && certain.length > 0) return { book: certain };
  const missing = unknown.map(({ account, words }) => `I do not know the time of ${account} (${words})`);
  return { say: [...missing, ...(certain.length === 0 ? ['nothing is known to be free'] : [])].join('; ') };
}

/** `notify: all (others are invited)`: what the real call needs besides, as arguments. */
export function argumentsOf({ needs }: Pick<Done, 'needs'>): Input {
  return Object.fromEntries(needs.map((need) => /^(\w+): (\w+)/.exec(need)?.slice(1) ?? []));
}

/** Begins as clients do: its model gets the instructions and all tools before it has asked anything. */
export async function createModel({ client, call }: McpSession, fed: Fed): Promise<Model> {
  const { tools } = await client.listTools();
  const meter: Meter = { tokens: tokensOf({ tools }) + tokensOf(client.getInstructions() ?? ''), calls: 0 };

  /** The tool that says of itself that it does this. */
  function toolFor(purpose: RegExp): Tool {
    const found = tools.filter(({ description = '' }) => purpose.test(description));
    if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} tools say ${purpose}`);
    return found[0];
  }

  async function use(purpose: RegExp, input: Input): Promise<Told> {
    const { name, inputSchema } = toolFor(purpose);
    const { properties = {}, required = [] } = inputSchema as { properties?: Input; required?: readonly string[] };
    const untold = Object.keys(input).filter((key) => !(key in properties));
    const missing = required.filter((key) => !(key in input));
    if (untold.length + missing.length > 0) throw new Error(`${name} tells of no ${untold}, and wants ${missing}`);
    const told = await call(name, input);
    meter.calls++;
    meter.tokens += tokensOf({ name, arguments: input });
    // What failed has nothing but words.
    meter.tokens += tokensOf(fed === 'text' || told.isError ? told.text : told.structured);
    if (told.isError) throw new Error(told.text);
    return told;
  }

  const read = <T>(told: Told, { structured, text }: Record<Fed, (told: never) => T>): T =>
    fed === 'text' ? text(told.text as never) : structured(told.structured as never);

  const change = async (purpose: RegExp, input: Input): Promise<Done> =>
    read(await use(purpose, input), { structured: outcomeOf, text: outcomeInText });

  return {
    meter,
    accounts: async () => read(await use(/^Lists the accounts/, {}), { structured: accountsOf, text: accountsInText }),
    freeTime: async ({ minutes, when }) =>
      read(await use(/free slots/, { durationMinutes: minutes, range: when, limit: 2, limitPerDay: 1 }), {
        structured: freeOf,
        text: freeInText,
      }),
    create: ({ title, guest }, account, { start, end }, more = {}) =>
      change(/^Creates an event/, { account, title, start, end, attendees: [guest], ...more }),
    move: ({ id, version }, { start }, more = {}) => change(/moves an event/, { id, version, start, ...more }),
    cancel: ({ id }, more = {}) => change(/^Deletes an event/, { id, ...more }),
    async signIn(account) {
      const told = await use(/^Starts the sign-in/, { account });
      return read(told, { structured: ({ message }: { message: string }) => message, text: (text: string) => text });
    },
  };
}

interface StructuredAccounts {
  readonly accounts: readonly { readonly account: string; readonly provider: string; readonly access: string }[];
}

function accountsOf({ accounts }: StructuredAccounts): Owned[] {
  return accounts.map(({ account, provider, access }) => ({ account, kind: provider, canWrite: access === 'write' }));
}

/** `account: kind, access, …` */
function accountsInText(text: string): Owned[] {
  return text.split('\n').flatMap((line) => {
    const [, account, kind, rest = ''] = /^(\S+): (\w+)(.*)$/.exec(line) ?? [];
    return account === undefined || kind === undefined ? [] : [{ account, kind, canWrite: /, write\b/.test(rest) }];
  });
}

interface StructuredFree {
  readonly accounts: readonly { account: string; status: string; message?: string; hint?: string }[];
  readonly slots: readonly (Span & { readonly unverified?: readonly string[] })[];
}

function freeOf({ accounts, slots }: StructuredFree): Free {
  return {
    slots: slots.map(({ start, end, unverified }) => ({ start, end, isCertain: unverified === undefined })),
    unknown: accounts
      .filter(({ status }) => status !== 'ok')
      .map(({ account, status, message, hint }) => ({ account, words: [status, message, hint].join(', ') })),
  };
}

const DAY = /^(\d{4}-\d{2}-\d{2}) \w{3} (\S+)$/;
const ROW = /^(\d{2}:\d{2})-(\d{2}:\d{2})(?: (.*))?$/;
const COVERAGE = /^(\S+): (ok|partial|stale|[a-z-]+)(?:, (.*))?$/;

/** The rows under each day, with the day's date and offset in front. */
function rowsOf(text: string): (Span & { readonly rest: string })[] {
  let [date, offset] = ['', ''];
  return text.split('\n').flatMap((line) => {
    const [, day, its] = DAY.exec(line) ?? [];
    if (day !== undefined) [date, offset] = [day, its ?? ''];
    const [, from, end, rest = ''] = ROW.exec(line) ?? [];
    return from === undefined || end === undefined ? [] : [{ start: `${date}T${from}${offset}`, end, rest }];
  });
}

function freeInText(text: string): Free {
  const lines = text.split('\n');
  const [, unknown = ''] =
    lines.map((line) => /^INCOMPLETE: the time of (.+) is unknown/.exec(line)).find(Boolean) ?? [];
  const names = unknown.split(', ').filter((name) => name !== '');
  return {
    slots: rowsOf(text).map(({ rest, ...span }) => ({ ...span, isCertain: !rest.includes('UNVERIFIED') })),
    unknown: names.map((account) => ({
      account,
      words: lines.find((line) => COVERAGE.exec(line)?.[1] === account) ?? '',
    })),
  };
}

interface StructuredOutcome {
  readonly outcome: string;
  readonly event?: { readonly id?: string; readonly version?: string };
  readonly mails?: readonly string[];
  readonly needs?: readonly string[];
  readonly conflicts?: readonly unknown[];
}

function outcomeOf({ outcome, event, mails = [], needs = [], conflicts = [] }: StructuredOutcome): Done {
  return { outcome, id: event?.id, version: event?.version, mails, needs, conflicts: conflicts.length };
}

/** The same words as the other clients get: what the first line says. */
const OUTCOMES: readonly (readonly [RegExp, string])[] = [
  [/^PREVIEW: nothing was done/, 'preview'],
  [/^(created|updated|deleted|answered)\b/, ''],
  [/^CONFLICT/, 'conflict'],
];

function outcomeInText(text: string): Done {
  const lines = text.split('\n');
  const after = (label: RegExp): string | undefined =>
    lines.flatMap((line) => (label.test(line) ? line.replace(label, '') : [])).at(0);
  const [first = ''] = lines;
  const [pattern, name] = OUTCOMES.find(([words]) => words.test(first)) ?? [/^/, 'unknown'];
  return {
    outcome: name === '' ? (pattern.exec(first)?.[1] ?? '') : (name ?? ''),
    id: rowsOf(text)[0]?.rest.split(' · ')[1],
    version: after(/^version: /),
    mails: after(/^(?:would e-mail|e-mailed): /)?.split(', ') ?? [],
    needs: after(/^needs: /)?.split('; ') ?? [],
    conflicts: Number(/^CONFLICTS \((\d+)\):$/m.exec(text)?.[1] ?? 0),
  };
}
