/** Somebody who may write, by every way that there is to a calendar, and a colleague at the same vendor. */
import type { z } from 'zod';
import type { App } from '../../src/accounts/registry.ts';
import { createEvent } from '../../src/operations/create-event.ts';
import { deleteEvent } from '../../src/operations/delete-event.ts';
import { getEvent } from '../../src/operations/get-event.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { respondToEvent } from '../../src/operations/respond-to-event.ts';
import { updateEvent } from '../../src/operations/update-event.ts';
import type { Outcome } from '../../src/operations/writing/outcome.ts';
import {
  calendar,
  event,
  type Fault,
  type FaultTarget,
  type GoogleData,
  googleCalendar,
  googleEvent,
  googleUser,
  mailbox,
  type Sandbox,
  type SandboxData,
  type SandboxEvent,
  type SandboxOptions,
  type SandboxRequest,
  sharedGoogleClient,
  singleMailbox,
} from '../../src/sandbox/index.ts';
import { childLine, withChild } from '../children.ts';
import {
  googleAccounts,
  googleSignIn,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  quickTime,
  signIn,
  UNHURRIED,
  XEBIA,
} from '../harness.ts';
import { ask as askAs } from '../operations/questions.ts';

export const WAYS = ['graph', 'google', 'graph http', 'graph stdio', 'google child', 'memory'] as const;
export type Way = (typeof WAYS)[number];
/** Where every single case runs: what goes over the network, without the seconds that a child server takes. */
export const DIRECT = ['graph', 'google'] as const satisfies Way[];
export const CHILDREN = ['graph http', 'graph stdio', 'google child'] as const satisfies Way[];
export const VENDORS = [...DIRECT, ...CHILDREN] as const;

export const isGraph = (way: Way): boolean => way.startsWith('graph');
export const isChild = (way: Way): boolean => way.includes(' ');

/** Has no mailbox anywhere. */
export const STRANGER = 'stranger@away.example';
const PEOPLE = {
  graph: { you: 'you@xebia.example', mate: 'mate@xebia.example' },
  google: { you: 'you@home.example', mate: 'mate@home.example' },
} as const;

/** What is under way at a vendor. */
export type Kind = 'create' | 'change' | 'delete' | 'respond' | 'get';

const isAnswer = (path: string): boolean => /\/(?:accept|decline|tentativelyAccept)$/.test(path);

export function isKind(way: Way, kind: Kind): (target: Pick<FaultTarget, 'method' | 'path'>) => boolean {
  return ({ method, path }) => {
    switch (kind) {
      case 'create':
        return method === 'POST' && path.endsWith('/events');
      case 'change':
        return method === 'PATCH';
      case 'delete':
        return method === 'DELETE';
      case 'respond':
        return isGraph(way) ? method === 'POST' && isAnswer(path) : method === 'PATCH';
      case 'get':
        return method === 'GET' && /\/events\/[^/]+$/.test(path);
    }
  };
}

/** Whether a request changes a calendar. */
export function isWrite({ method, path }: Pick<SandboxRequest, 'method' | 'path'>): boolean {
  if (!/^\/(?:v1\.0|google\/calendar)\//.test(path) || /\/(?:\$batch|getSchedule|freeBusy)$/.test(path)) return false;
  return method !== 'GET';
}

function officeData(): SandboxData {
  const { you, mate } = PEOPLE.graph;
  const theirs = event({ subject: 'Theirs', start: '2026-11-24T10:00', end: '2026-11-24T11:00' });
  const data = singleMailbox(
    [calendar('Calendar', []), calendar('Side', []), calendar('Only to read', [theirs], { canEdit: false })],
    you,
  );
  const [tenant] = data.tenants;
  const colleague = { oid: 'aaaaaaaa-0000-0000-0000-000000000002', username: mate, displayName: 'Mate' };
  return {
    ...data,
    users: [...data.users, { ...colleague, tenant: tenant?.id ?? '' }],
    mailboxes: [...data.mailboxes, mailbox(mate, [calendar('Calendar', [])])],
  };
}

function homeData(): GoogleData {
  const { you, mate } = PEOPLE.google;
  const group = (name: string) => `${name}@group.calendar.google.com`;
  const theirs = googleEvent({ summary: 'Theirs', start: '2026-11-24T10:00', end: '2026-11-24T11:00' });
  const calendars = [
    googleCalendar(you, [], { summary: 'Calendar' }),
    googleCalendar(group('side'), [], { summary: 'Side', access: { [you]: 'owner' } }),
    googleCalendar(group('read'), [theirs], { summary: 'Only to read', access: { [you]: 'reader' } }),
    googleCalendar(group('busy'), [], { summary: 'Only busy', access: { [you]: 'freeBusyReader' } }),
  ];
  const listed = calendars.map(({ id }) => ({ calendarId: id, selected: true }));
  return {
    clients: [sharedGoogleClient],
    users: [
      googleUser(1, you, listed),
      googleUser(2, mate, [{ calendarId: mate, selected: true }], { displayName: 'Mate' }),
    ],
    calendars: [...calendars, googleCalendar(mate, [])],
  };
}

type Input<Operation extends { input: z.ZodType }> = z.input<Operation['input']>;
type Created = Input<typeof createEvent>;
type Updated = Input<typeof updateEvent>;
type Deleted = Input<typeof deleteEvent>;
type Responded = Input<typeof respondToEvent>;

/** The verbs, on one app. */
export interface Hands {
  readonly app: App;
  create(input: Created): Promise<Outcome>;
  update(input: Updated): Promise<Outcome>;
  /** For somebody who may give up. */
  updateFor(signal: AbortSignal, input: Updated): Promise<Outcome>;
  delete(input: Deleted): Promise<Outcome>;
  respond(input: Responded): Promise<Outcome>;
  get(id: string): ReturnType<typeof getEvent.run>;
  /** Ids of what is on these days under a title, in order. */
  ids(title: string, range: string): Promise<string[]>;
  /** `2026-12-01T10:00 Title`, of all titles that begin so. */
  seen(title: string, range: string, timeZone?: string): Promise<string[]>;
}

/** @param deadlineMs how long they wait, where that is less than usual */
export function handsOf(app: App, { deadlineMs }: { readonly deadlineMs?: number } = {}): Hands {
  // What is asked for with less time, or by somebody who may give up.
  const ask: typeof askAs = (operation, its, input) =>
    deadlineMs === undefined
      ? askAs(operation, its, input)
      : operation.run(its, operation.input.parse(input), { signal: new AbortController().signal, deadlineMs });
  const list = async (title: string, range: string, timeZone?: string) => {
    const answer = await ask(listEvents, app, { range, ...(timeZone === undefined ? {} : { timeZone }) });
    if (!answer.complete) throw new Error(`not complete: ${JSON.stringify(answer.accounts)}`);
    return answer.events.filter((each) => each.title?.startsWith(title));
  };
  return {
    app,
    create: (input) => ask(createEvent, app, input),
    update: (input) => ask(updateEvent, app, input),
    updateFor: (signal, input) => updateEvent.run(app, updateEvent.input.parse(input), { signal }),
    delete: (input) => ask(deleteEvent, app, input),
    respond: (input) => ask(respondToEvent, app, input),
    get: (id) => ask(getEvent, app, { id, text: true }),
    ids: async (title, range) => (await list(title, range)).map(({ id = '' }) => id),
    seen: async (title, range, timeZone) =>
      (await list(title, range, timeZone)).map(
        (each) => `${each.allDay ? each.start : each.start.slice(0, 16)} ${each.title}`,
      ),
  };
}

export interface World extends Hands {
  readonly way: Way;
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly yaml: string;
  readonly you: string;
  /** A colleague, whom the vendor knows. */
  readonly mate: string;
  /** What the colleague does, directly. */
  readonly theirs: Hands;
  /** An event of one's own that begins on the hour, on a day that no other test uses. */
  make(title: string, more?: Partial<Created>): Promise<{ readonly id: string; readonly day: string; version: string }>;
  /** An invitation of the colleague's. */
  invited(title: string, more?: Partial<Created>): Promise<{ readonly id: string; readonly day: string }>;
  /** Days that no other test uses. */
  day(): string;
  /** The requests that changed a calendar, or tried to, while `work` was done. */
  written(work: () => Promise<unknown>): Promise<SandboxRequest[]>;
  /** With a fault of requests of one kind, or of those that match, which ends with the work. */
  during<T>(kind: Kind | Fault['match'], fault: Omit<Fault, 'match'>, work: () => Promise<T>): Promise<T>;
  /** With something that happens at the vendor the moment that the `nth` request of a kind comes in. */
  asItComes<T>(kind: Kind, happens: () => void, work: () => Promise<T>, nth?: number): Promise<T>;
  /** With something that happens at the vendor after a request of a kind, before the next look at an event. */
  afterwards<T>(kind: Kind, happens: () => void, work: () => Promise<T>): Promise<T>;
  /** Somebody else, elsewhere, gives what is called so another title. */
  rename(title: string, to: string): void;
  /** All that the vendor holds of one's default calendar, without what was made and deleted since `before`. */
  held(before?: readonly unknown[]): unknown[];
  /** `invitation mate@…` for all that was mailed about a subject, in order. */
  mails(subject: string): string[];
  /** Who was mailed about whatever while `work` was done, by address, once each, in alphabetical order. */
  mailed(work: () => Promise<unknown>): Promise<string[]>;
}

export interface WorldOptions {
  readonly access?: 'busy' | 'read' | 'write';
  readonly sandbox?: SandboxOptions;
  readonly told?: Readonly<Record<string, string>>;
  /** More of the account, as in `client: acme, share: title`. */
  readonly settings?: string;
  /** More accounts: see `joinAccounts`. */
  readonly more?: (sandbox: Sandbox) => readonly string[];
}

const withAccess = (yaml: string, id: string, access: string): string =>
  yaml.replace(`\n  ${id}:\n`, `\n  ${id}:\n    access: ${access}\n    ${UNHURRIED}\n`);

/** accounts.yaml of one account at the vendor of a way, not through a child server. */
export function accountOf(sandbox: Sandbox, way: Way, id: string, access: string): string {
  const { clientId, clientSecret } = sharedGoogleClient;
  const yaml = isGraph(way)
    ? microsoftAccounts(sandbox, [{ ...XEBIA, id }])
    : googleAccounts(sandbox, [{ id, clientId, clientSecret }]);
  return withAccess(yaml, id, access);
}

const yamlOf = (sandbox: Sandbox, way: Way, access: string, told: Readonly<Record<string, string>>): string => {
  if (way === 'memory')
    return `version: 1\ndefaults: { timeZone: Europe/Amsterdam }\naccounts:\n  desk: { provider: memory, access: ${access} }\n`;
  const plain = accountOf(sandbox, way, 'desk', access);
  if (!isChild(way)) return plain;
  const [server, more] = isGraph(way)
    ? (['ms-365', { transport: way.slice('graph '.length) }] as const)
    : (['google-calendar', {}] as const);
  return withChild(plain, childLine(server, sandbox, more, told), ['desk']);
};

export async function enter(app: App, sandbox: Sandbox, way: Way, account: string, username: string): Promise<void> {
  await (isGraph(way) ? signIn : googleSignIn)(app, sandbox, account, username);
}

let days = 0;
/** Tuesdays and Thursdays from December 2026 on. */
function freshDay(): string {
  const first = Date.parse('2026-12-01T00:00:00Z');
  const offset = Math.floor(days / 2) * 7 + (days++ % 2) * 2;
  return new Date(first + (offset % 1_000) * 86_400_000).toISOString().slice(0, 10);
}

export async function openWorld(way: Way, options: WorldOptions = {}): Promise<World> {
  const { access = 'write', told = {} } = options;
  const sandbox = await openSandbox({ data: officeData(), googleData: homeData(), ...options.sandbox });
  const { you, mate } = PEOPLE[isGraph(way) ? 'graph' : 'google'];
  const first = yamlOf(sandbox, way, access, told);
  const others = (options.more?.(sandbox) ?? []).map((yaml) => yaml.split('accounts:\n')[1] ?? '');
  const lines = (options.settings ?? '').split(', ').filter((line) => line !== '');
  const own = first.replace('\n  desk:\n', `\n  desk:\n${lines.map((line) => `    ${line}\n`).join('')}`);
  const yaml = [own, ...others].join('');
  const { app, folder } = await openTestApp(yaml, { budgetClock: quickTime });
  if (way !== 'memory') await enter(app, sandbox, way, 'desk', you);
  const colleague = way === 'memory' ? app : await openColleague();

  async function openColleague(): Promise<App> {
    const { app: their } = await openTestApp(accountOf(sandbox, way, 'mate', 'write'));
    await enter(their, sandbox, way, 'mate', mate);
    return their;
  }

  const hands = handsOf(app);
  const theirs = handsOf(colleague);
  const calendarHeld = (): { events: unknown[]; series?: unknown[] } => {
    const found = isGraph(way)
      ? sandbox.data.mailboxes.find(({ username }) => username === you)?.calendars[0]
      : sandbox.google.data.calendars.find(({ id }) => id === you);
    if (found === undefined) throw new RangeError('no calendar');
    return found;
  };
  const cancelledId = (one: unknown): string | undefined => {
    const { id, properties } = one as { id?: string; properties?: { status?: string } };
    return properties?.status === 'cancelled' ? id : undefined;
  };

  return {
    ...hands,
    way,
    sandbox,
    folder,
    yaml,
    you,
    mate,
    theirs,
    day: freshDay,
    async make(title, more = {}) {
      const day = freshDay();
      const { event: made } = await hands.create({
        account: 'desk',
        title,
        start: `${day}T10:00`,
        end: '+1h',
        ...more,
      });
      if (made?.id === undefined || made.version === undefined) throw new Error(`${title} was not made`);
      return { id: made.id, day, version: made.version };
    },
    async invited(title, more = {}) {
      const day = freshDay();
      const times = { start: `${day}T10:00`, end: '+1h' };
      await theirs.create({ account: 'mate', title, ...times, attendees: [you], notify: 'all', ...more });
      const [id] = await hands.ids(title, `${day}..${day}`);
      if (id === undefined) throw new Error(`${title} did not arrive`);
      return { id, day };
    },
    async written(work) {
      const before = sandbox.requests.length;
      await work();
      return sandbox.requests.slice(before).filter(isWrite);
    },
    async during(kind, fault, work) {
      let isOn = true;
      const matches = typeof kind === 'string' ? isKind(way, kind) : kind;
      sandbox.fail({ ...fault, match: (target) => isOn && matches(target) });
      try {
        return await work();
      } finally {
        isOn = false;
      }
    },
    async asItComes(kind, happens, work, nth = 1) {
      let seen = 0;
      const matches = isKind(way, kind);
      sandbox.fail({
        match(target) {
          if (matches(target) && ++seen === nth) happens();
          return false;
        },
        status: 500,
      });
      const result = await work();
      if (seen < nth) throw new Error(`only ${seen} requests of kind ${kind} came in`);
      seen = Number.MAX_SAFE_INTEGER;
      return result;
    },
    async afterwards(kind, happens, work) {
      let state = 'before';
      const [matches, isLook] = [isKind(way, kind), isKind(way, 'get')];
      sandbox.fail({
        match(target) {
          if (state === 'before' && matches(target)) state = 'sent';
          else if (state === 'sent' && isLook(target)) {
            state = 'done';
            happens();
          }
          return false;
        },
        status: 500,
      });
      const result = await work();
      if (state !== 'done') throw new Error(`nothing came in after a request of kind ${kind}`);
      return result;
    },
    rename(title, to) {
      const held = calendarHeld();
      let done = 0;
      const graph = (one: SandboxEvent): SandboxEvent => {
        if (one.properties.subject !== title) return one;
        done++;
        return { ...one, properties: { ...one.properties, subject: to, changeKey: `changed-${to}` } };
      };
      if (isGraph(way)) {
        const own = held as { events: SandboxEvent[]; series?: { master: SandboxEvent }[] };
        own.events = own.events.map(graph);
        own.series = (own.series ?? []).map((each) => ({ ...each, master: graph(each.master) }));
      } else {
        const own = held as { events: { properties: { summary?: string } }[] };
        own.events = own.events.map((one) => {
          if (one.properties.summary !== title) return one;
          done++;
          return { ...one, properties: { ...one.properties, summary: to } };
        });
      }
      if (done === 0) throw new RangeError(`nothing is called ${title}`);
    },
    held(before = []) {
      const { events, series = [] } = calendarHeld();
      const known = new Set(before.map(cancelledId));
      return structuredClone([...events, ...series]).filter((one) => {
        const gone = cancelledId(one);
        return gone === undefined || before.length === 0 || known.has(gone);
      });
    },
    async mailed(work) {
      const before = sandbox.mails.length;
      await work();
      return [...new Set(sandbox.mails.slice(before).map(({ to }) => to))].sort();
    },
    mails: (subject) => sandbox.mails.filter((mail) => mail.subject === subject).map(({ kind, to }) => `${kind} ${to}`),
  };
}
