/** Accounts of both vendors as a rival's users have them, asked over MCP; and wall-clock times by a table of their own. */
import type { App } from '../../src/accounts/registry.ts';
import {
  type FaultTarget,
  type GoogleEvent,
  harborGoogleClient,
  homeGoogleClient,
  type Sandbox,
  type SandboxEvent,
  type SandboxOptions,
  calendar as sandboxCalendar,
  sharedGoogleClient,
  singleGoogleAccount,
  singleMailbox,
} from '../../src/sandbox/index.ts';
import {
  googleAccounts,
  googleSignIn,
  joinAccounts,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  XEBIA,
} from '../harness.ts';
import { type McpSession, openSession } from './mcp-session.ts';

export interface World extends McpSession {
  readonly sandbox: Sandbox;
  readonly app: App;
  readonly folder: string;
  readonly yaml: string;
}

const PEOPLE = {
  xebia: 'you@xebia.example',
  marimer: 'you@marimer.example',
  casa: 'you@home.example',
  harbor: 'you@harbor.example',
} as const;
export const FOUR = Object.keys(PEOPLE) as (keyof typeof PEOPLE)[];

export const ownerOf = (account: string): string => PEOPLE[account as keyof typeof PEOPLE];

const writableMicrosoft = (yaml: string): string =>
  yaml.replaceAll('    provider: microsoft\n', '    provider: microsoft\n    access: write\n');

async function world(sandbox: Sandbox, yaml: string, accounts: readonly (keyof typeof PEOPLE)[]): Promise<World> {
  const { app, folder } = await openTestApp(yaml);
  for (const id of accounts)
    if (id === 'casa' || id === 'harbor') await googleSignIn(app, sandbox, id, PEOPLE[id]);
    else await signIn(app, sandbox, id, PEOPLE[id]);
  return { ...(await openSession(app)), sandbox, app, folder, yaml };
}

/** Two tenants and two people at Google, all of them to be written to. */
export async function openFour(options: SandboxOptions = {}): Promise<World> {
  const sandbox = await openSandbox(options);
  const google = googleAccounts(sandbox, [
    { id: 'casa', ...homeGoogleClient, more: 'access: write' },
    { id: 'harbor', ...harborGoogleClient, more: 'access: write' },
  ]);
  return world(sandbox, joinAccounts(writableMicrosoft(microsoftAccounts(sandbox, [XEBIA, MARIMER])), google), FOUR);
}

/** One mailbox at Microsoft and one account at Google, with these events. */
export async function openTwo(
  { microsoft = [], google = [] }: { microsoft?: SandboxEvent[]; google?: readonly GoogleEvent[] } = {},
  others: NonNullable<Parameters<typeof singleGoogleAccount>[1]>['others'] = [],
): Promise<World> {
  const sandbox = await openSandbox({
    data: singleMailbox([sandboxCalendar('Calendar', microsoft)]),
    googleData: singleGoogleAccount(google, { others }),
  });
  const { clientId, clientSecret } = sharedGoogleClient;
  const yaml = joinAccounts(
    writableMicrosoft(microsoftAccounts(sandbox, [XEBIA])),
    googleAccounts(sandbox, [{ id: 'casa', clientId, clientSecret, more: 'access: write' }]),
  );
  return world(sandbox, yaml, ['xebia', 'casa']);
}

export const isEvents = ({ path }: FaultTarget): boolean => /\/(?:calendarView|events)$/.test(path);

export interface Shown {
  readonly id: string;
  readonly title: string;
  readonly start: string;
  readonly end: string;
  readonly accounts?: readonly string[];
}

export interface Answer {
  readonly complete: boolean;
  readonly accounts: readonly {
    readonly account: string;
    readonly status: string;
    readonly message?: string;
    readonly hint?: string;
    readonly problems?: readonly string[];
  }[];
  readonly events: readonly Shown[];
  readonly calendars: readonly { readonly account: string }[];
  readonly blocks: readonly { start: string; end: string; busy: string; accounts?: readonly string[] }[];
  readonly free: readonly { readonly start: string; readonly end: string }[];
  readonly slots: readonly { readonly unverified?: readonly string[] }[];
  readonly people: readonly { readonly status: string; readonly blocks: readonly { readonly busy: string }[] }[];
  readonly conflicts: readonly Shown[];
  readonly changes: readonly { readonly field: string; readonly to: string }[];
  readonly event: Shown & { readonly version?: string };
  readonly outcome: string;
  readonly mails?: readonly string[];
  readonly truncated?: true;
  readonly nextCursor?: string;
}

/** A tool that answers. */
export async function ask(
  { call }: McpSession,
  tool: string,
  input: Readonly<Record<string, unknown>> = {},
): Promise<Answer & { readonly text: string }> {
  const { isError, text, structured } = await call(tool, input);
  if (isError && structured.outcome === undefined) throw new Error(text);
  return { ...(structured as unknown as Answer), text };
}

/** A tool that refuses, and its words. */
export async function refusal(
  { call }: McpSession,
  tool: string,
  input: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { isError, text } = await call(tool, input);
  if (!isError) throw new Error(`${tool} answered: ${text}`);
  return text;
}

/** Signs in as a conversation does: the words are shown to the person, who follows them, and then it is asked once more. */
export async function signInAgain(session: McpSession, sandbox: Sandbox, account: string): Promise<void> {
  const { text } = await ask(session, 'sign_in', { account });
  const [page = ''] = /https?:\/\/\S+/.exec(text) ?? [];
  // Not awaited: calmcp answers the browser when it has redeemed the code.
  void fetch(await sandbox.google.consent(page, ownerOf(account))).catch(() => undefined);
  const { structured } = await session.call('sign_in', { account });
  if (structured.status !== 'signed-in') throw new Error(`${account} is not signed in`);
}

/** All parts of a list of events. */
export async function allEvents(session: McpSession, input: Readonly<Record<string, unknown>>): Promise<Shown[]> {
  const events: Shown[] = [];
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const part = await ask(session, 'list_events', first ? input : { cursor, limit: input.limit });
    events.push(...part.events);
    cursor = part.nextCursor;
  }
  return events;
}

/**
 * Every wall-clock half-hour of a stretch of time in `zone`, as `2026-03-29T01:30`, with its first instant. Found by going
 * through the instants, so that nothing here works out an instant from a wall-clock time.
 */
export function wallClockTable(zone: string, from: string, to: string): Map<string, number> {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  const table = new Map<string, number>();
  for (let instant = Date.parse(from); instant < Date.parse(to); instant += 1_800_000) {
    const wall = format.format(instant).replace(' ', 'T');
    if (!table.has(wall)) table.set(wall, instant);
  }
  return table;
}

/** On the clock on the wall: `2026-03-29T01:30`. */
export const plusMinutes = (wall: string, minutes: number): string =>
  new Date(Date.parse(`${wall}Z`) + minutes * 60_000).toISOString().slice(0, 16);
