/** The accounts of one tenant, opened when first asked. Nothing here outlives its {@link App}. */
import { setMaxListeners } from 'node:events';
import type { Temporal } from 'temporal-polyfill';
import type { Limits, Traffic } from '../core/budget.ts';
import type { ChildServers, ChildSpec } from '../core/child.ts';
import type { Sharing } from '../core/disclosure.ts';
import { CalmcpError } from '../core/errors.ts';
import type {
  CalendarProvider,
  Call,
  Fetch,
  Identity,
  Logger,
  ProviderContext,
  ProviderDefinition,
  ReadFile,
  SecretStore,
  Send,
  SignInMethod,
  SignInPrompts,
  SignInState,
} from '../core/provider.ts';
import { parseZone } from '../core/time.ts';
import { USUAL_HOURS, type WorkingHours } from '../core/working-hours.ts';
import { createHttp } from '../io/http.ts';
import { createPatience } from '../io/patience.ts';
import { createRegistration, type Registration } from '../io/registration.ts';
import type { AccountConfig, Config } from './load.ts';
import { directReadings, openReadings, type Readings } from './readings.ts';
import type { AccountSettings, Defaults } from './schema.ts';
import { openSealedReadings } from './sealed-readings.ts';
import { createShelf, type Shelf } from './shelf.ts';
import { createSignIns, type SignIns } from './sign-ins.ts';

const DEFAULT_AT_ONCE = 8;
/** Answers come within 25 s (contract); what has not answered by now is unknown. */
const DEFAULT_DEADLINE_MS = 20_000;
/** Events kept in memory over all accounts: some 40 MB. */
const MOST_KEPT = 40_000;
/** How often what is too old is forgotten, in milliseconds. */
const SWEEP_MS = 60_000;

/** What an app needs that keeps what it has read for the next question. */
export interface Keeping {
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
  /** Epoch milliseconds of the machine, whatever `now` says. */
  readonly wall: () => number;
  /** Calls when the machine has slept, or its clock was set: nothing is known of how old things are. */
  readonly watchClocks: (onJump: () => void) => { check(): void; end(): void };
}

export interface AppOptions {
  readonly config: Config;
  /** The secrets of one cache key. */
  readonly secrets: (cacheKey: string) => SecretStore;
  readonly fetch: Fetch;
  readonly readFile: ReadFile;
  readonly now: () => Temporal.Instant;
  /** Zone of answers where the configuration names none. */
  readonly systemTimeZone: string;
  readonly log: Logger;
  readonly children: ChildServers;
  /** Shows a page on this machine. @returns whether it could; left out: it cannot */
  readonly openBrowser?: (url: string) => Promise<boolean>;
  /** Signs what calmcp says to itself, in cursors. */
  readonly sign: (text: string) => Promise<string>;
  /** Milliseconds a question may take; what has not answered by then is unavailable. */
  readonly deadlineMs?: number;
  /** Milliseconds of a clock that nobody sets, which rates and breakers go by; default: `performance.now`. */
  readonly budgetClock?: (() => number) | undefined;
  /** Left out: every question asks anew. For a program that answers one and ends. */
  readonly keeping?: Keeping | undefined;
  /** When other programs with the same state have last changed something. */
  readonly changes?: { version(): Promise<string>; note(): Promise<void> } | undefined;
}

export interface Account {
  readonly id: string;
  readonly settings: AccountSettings;
  readonly provider: Pick<ProviderDefinition, 'type' | 'title'>;
  /** Whose it is, and what others may see of it. */
  readonly sharing: Sharing;
  /** When its owner can be booked, on the clock of {@link timeZone}. */
  readonly workingHours: WorkingHours;
  /** The zone its owner is in: the account's own, else the default one. */
  readonly timeZone: string;
  /** Whether accounts.yaml names that zone for this very account. */
  readonly hasOwnTimeZone: boolean;
  /** @throws CalmcpError when it cannot be opened; the next call tries again */
  open(): Promise<CalendarProvider>;
  /** What its calendars say, from memory where that is fresh enough. */
  readonly readings: Readings;
  /** Something in it was changed, or may have been: what was read before, of any account, is not told any more. */
  changed(): Promise<void>;
  /** Nothing that was read stays, in memory or on disk. @throws CalmcpError when the disk refuses */
  wipeReadings(): Promise<void>;
  /** How a person can sign in; none where nobody has to. */
  readonly signInMethods: readonly SignInMethod[];
  signIn(prompts: SignInPrompts, call: Call): Promise<Identity>;
  /** @returns what the person should know beyond "done" */
  signOut(): Promise<string | undefined>;
  signInState(): Promise<SignInState>;
  /** Addresses (origins) that must be reachable. */
  readonly endpoints: readonly string[];
  /** The child server that it is read through, where it is. */
  readonly childSpec: ChildSpec | undefined;
  /** HTTP as its provider has it. */
  fetch(call: Call): Send;
  /** What it has asked for since it was opened, and what holds it up. */
  traffic(): Traffic;
  close(): Promise<void>;
}

export interface App {
  /** In the order of accounts.yaml. */
  readonly accounts: readonly Account[];
  readonly timeZone: string;
  readonly deadlineMs: number;
  readonly log: Logger;
  now(): Temporal.Instant;
  /** Sign-ins under way. */
  readonly signIns: SignIns;
  /** Forgets what was read before somebody changed something, in whatever process. Before every question. */
  catchUp(): Promise<void>;
  /** The same for the same text, and not to be guessed. */
  sign(text: string): Promise<string>;
  /** @throws CalmcpError ACCOUNT_UNKNOWN naming the known ones */
  account(id: string): Account;
  /** What every answer should say for now: that a changed accounts.yaml could not be used, say. */
  readonly notices: readonly string[];
  /**
   * Takes over a changed accounts.yaml, account by account: what did not change stays open, with its tokens and
   * connections. Questions under way go on with what they began with.
   */
  apply(config: Config): void;
  /** Keeps what is, and says why. */
  keep(notice: string): void;
  close(): Promise<void>;
}

function openAccount(
  config: AccountConfig,
  app: AppOptions,
  timeZone: string,
  defaults: Defaults,
  share: ProviderContext['share'],
  closed: AbortSignal,
  shelf: Shelf,
  changed: () => Promise<void>,
  registration: Registration | undefined,
  source: string,
  stamps: Stamps,
): Account {
  const { id, provider, options, settings } = config;
  const limits = { ...provider.limits, ...settings.limits };
  const patience = createPatience({
    account: id,
    log: app.log,
    limits: { ...limits, atOnce: limits.atOnce ?? DEFAULT_AT_ONCE },
    registration,
    isForAll: provider.isThrottledForAll,
    now: app.budgetClock,
  });
  const noSecrets = (): never => {
    throw new TypeError(`provider ${provider.type} keeps secrets and has no cacheKey`);
  };
  const context: ProviderContext = {
    account: id,
    fetch: createHttp({ fetch: app.fetch, patience }),
    patience,
    secrets: provider.cacheKey
      ? app.secrets(provider.cacheKey(options, id))
      : { load: noSecrets, save: noSecrets, remove: noSecrets, version: noSecrets, exclusively: noSecrets },
    share: (key, create) => share(`${provider.type} ${key}`, create),
    readFile: app.readFile,
    access: settings.access,
    timeZone: parseZone(settings.timeZone ?? timeZone) ?? timeZone,
    now: app.now,
    log: app.log,
    closed,
    children: app.children,
  };
  let opened: Promise<CalendarProvider> | undefined;
  function open(): Promise<CalendarProvider> {
    opened ??= provider.open(options, context).catch((thrown: unknown) => {
      opened = undefined;
      throw thrown;
    });
    return opened;
  }
  const hasSecrets = provider.cacheKey !== undefined;
  const version = async (): Promise<string> => (hasSecrets ? context.secrets.version() : '');
  const openSealed = () =>
    openSealedReadings({
      account: id,
      store: app.secrets(`readings_${id}`),
      source,
      version,
      changes: stamps.now,
      seenChanges: stamps.seen,
      log: app.log,
    });
  const sealed = settings.cache === 'sealed' ? openSealed() : undefined;
  const readings =
    app.keeping === undefined || settings.cache === 'off'
      ? directReadings(open)
      : openReadings({
          account: id,
          open,
          version,
          monotonic: app.keeping.monotonic,
          wall: app.keeping.wall,
          sealed,
          now: () => app.now().epochMilliseconds,
          shelf,
          log: app.log,
          closed,
        });
  const childSpec = provider.childSpec?.(options, id, settings.access);
  async function wipeReadings(): Promise<void> {
    readings.forget();
    // Also what was sealed before `cache:` was changed.
    await (sealed ?? openSealed()).wipe();
  }
  return {
    id,
    settings,
    provider,
    sharing: { client: settings.client ?? id, share: settings.share },
    workingHours: settings.workingHours ?? defaults.workingHours ?? USUAL_HOURS,
    timeZone: context.timeZone,
    hasOwnTimeZone: settings.timeZone !== undefined,
    signInMethods: provider.signInMethods?.(options) ?? [],
    open,
    readings,
    changed,
    wipeReadings,
    async close() {
      await readings.close();
      // One that failed to open has nothing to close.
      const provider = await opened?.catch(() => undefined);
      await provider?.close?.();
    },
    async signIn(prompts, call) {
      if (provider.signIn === undefined)
        throw new CalmcpError('INPUT_INVALID', `account ${id} (${provider.type}) needs no sign-in`, { account: id });
      let mayBeOther = childSpec !== undefined;
      try {
        const identity = await provider.signIn(options, context, prompts, call);
        mayBeOther = true;
        return identity;
      } finally {
        // Where the sign-in is a child server's own, nothing else shows that it is another person's now.
        if (mayBeOther) await changed();
      }
    },
    async signOut() {
      try {
        return await provider.signOut?.(options, context);
      } finally {
        // Not before: what is read meanwhile goes as well.
        await wipeReadings();
        await changed();
      }
    },
    async signInState() {
      return (await provider.signInState?.(options, context)) ?? { state: 'not-needed' };
    },
    endpoints: provider.endpoints?.(options) ?? [],
    childSpec,
    fetch: (call) => context.fetch(call),
    traffic: patience.stats,
  };
}

/** See {@link AppOptions.changes}. */
interface Stamps {
  now(): Promise<string>;
  /** The one that all that is in memory was read after. */
  seen(): string | undefined;
}

/** Opens nothing yet: accounts are opened one by one, when a question first needs them. */
export function openApp(options: AppOptions): App {
  const { config, now, log } = options;
  const closing = new AbortController();
  // One listener for each exchange under way; they end with their exchange's time limit.
  setMaxListeners(Number.POSITIVE_INFINITY, closing.signal);
  const shared = new Map<string, unknown>();
  const share: ProviderContext['share'] = <T>(key: string, create: () => T): T => {
    if (!shared.has(key)) shared.set(key, create());
    return shared.get(key) as T;
  };
  const shelf = createShelf(MOST_KEPT);
  let seen: string | undefined;
  const stamps: Stamps = {
    async now() {
      const version = (await options.changes?.version()) ?? '';
      seen ??= version;
      return version;
    },
    seen: () => seen,
  };
  const forgetAll = (): void => {
    for (const { account } of accounts) account.readings.forget();
  };
  async function changed(): Promise<void> {
    forgetAll();
    await options.changes?.note().catch((error: unknown) => log.warn('others are not told of a change', { error }));
  }
  const clocks = options.keeping?.watchClocks(() => {
    log.info('the clock was set, or the machine has slept: everything is read anew');
    forgetAll();
  });
  const sweeping =
    options.keeping === undefined
      ? undefined
      : setInterval(() => {
          for (const { account } of accounts) account.readings.sweep();
        }, SWEEP_MS).unref();
  let timeZone = '';
  let notices: readonly string[] = [];
  /** With all that an account was made from: it is made anew when any of it changes. */
  let accounts: readonly { readonly account: Account; readonly source: string }[] = [];

  /** Accounts that are gone from accounts.yaml and are not closed yet. */
  const leaving = new Set<Promise<void>>();
  async function closeOf(account: Account): Promise<void> {
    await account.close();
    const next = accounts.find((other) => other.account.id === account.id)?.account;
    const isSealed = account.settings.cache === 'sealed';
    if (next === undefined || (isSealed && next.settings.cache !== 'sealed')) await account.wipeReadings();
  }

  /** Made anew when its limits change, like the accounts that have it in common. */
  function registrationOf({ provider, options: chosen }: AccountConfig, limits: Limits): Registration | undefined {
    const { clientId, key } = provider.registration?.(chosen) ?? {};
    if (clientId === undefined) return undefined;
    return share(`registration ${provider.type} ${key} ${JSON.stringify(limits)}`, () =>
      createRegistration(clientId, limits, options.budgetClock),
    );
  }

  function apply({ defaults, registrations, accounts: entries }: Config): void {
    timeZone = defaults.timeZone ?? options.systemTimeZone;
    const before = accounts;
    accounts = entries.map((entry) => {
      const { provider } = entry;
      const clientId = provider.registration?.(entry.options).clientId.toLowerCase();
      const limits = { ...provider.registrationLimits, ...registrations.get(clientId ?? '') };
      const source = JSON.stringify([
        entry.id,
        provider.type,
        entry.settings,
        entry.options,
        timeZone,
        defaults,
        limits,
      ]);
      const same = before.find((candidate) => candidate.source === source);
      return (
        same ?? {
          source,
          account: openAccount(
            entry,
            options,
            timeZone,
            defaults,
            share,
            closing.signal,
            shelf,
            changed,
            registrationOf(entry, limits),
            source,
            stamps,
          ),
        }
      );
    });
    notices = [];
    for (const gone of before) {
      if (accounts.includes(gone)) continue;
      const left = closeOf(gone.account)
        .catch((error: unknown) => log.warn('account not closed', { account: gone.account.id, error }))
        .finally(() => leaving.delete(left));
      leaving.add(left);
    }
  }
  apply(config);

  return {
    get accounts() {
      return accounts.map(({ account }) => account);
    },
    get timeZone() {
      return timeZone;
    },
    get notices() {
      return notices;
    },
    async catchUp() {
      if (options.keeping === undefined) return;
      clocks?.check();
      const version = await stamps.now();
      if (version === seen) return;
      seen = version;
      forgetAll();
    },
    apply,
    keep(notice) {
      notices = [notice];
    },
    deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
    log,
    now,
    sign: options.sign,
    signIns: createSignIns({
      openBrowser: options.openBrowser ?? (async () => false),
      now: () => now().epochMilliseconds,
      closed: closing.signal,
    }),
    account(id) {
      const found = accounts.find(({ account }) => account.id === id);
      if (found) return found.account;
      const known = accounts.map(({ account }) => account.id).join(', ');
      throw new CalmcpError('ACCOUNT_UNKNOWN', `there is no account ${JSON.stringify(id.slice(0, 80))}`, {
        hint: known === '' ? 'accounts.yaml names no accounts yet' : `known: ${known}`,
      });
    },
    async close() {
      closing.abort(new CalmcpError('UNAVAILABLE', 'calmcp is closing'));
      clocks?.end();
      clearInterval(sweeping);
      await Promise.all([...leaving, ...accounts.map(({ account }) => account.close())]);
      await options.children.close();
    },
  };
}
