/** The accounts of one tenant, opened when first asked. Nothing here outlives its {@link App}. */
import { setMaxListeners } from 'node:events';
import type { Temporal } from 'temporal-polyfill';
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
  SignInMethod,
  SignInPrompts,
  SignInState,
} from '../core/provider.ts';
import { parseZone } from '../core/time.ts';
import { USUAL_HOURS, type WorkingHours } from '../core/working-hours.ts';
import { createHttp } from '../io/http.ts';
import type { AccountConfig, Config } from './load.ts';
import type { AccountSettings, Defaults } from './schema.ts';
import { createSignIns, type SignIns } from './sign-ins.ts';

const DEFAULT_CONCURRENCY = 8;
/** Answers come within 25 s (contract); what has not answered by now is unknown. */
const DEFAULT_DEADLINE_MS = 20_000;

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
  fetch(call: Call): Fetch;
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
): Account {
  const { id, provider, options, settings } = config;
  const noSecrets = (): never => {
    throw new TypeError(`provider ${provider.type} keeps secrets and has no cacheKey`);
  };
  const context: ProviderContext = {
    account: id,
    fetch: createHttp({
      account: id,
      fetch: app.fetch,
      log: app.log,
      concurrency: provider.concurrency ?? DEFAULT_CONCURRENCY,
    }),
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
  return {
    id,
    settings,
    provider,
    sharing: { client: settings.client ?? id, share: settings.share },
    workingHours: settings.workingHours ?? defaults.workingHours ?? USUAL_HOURS,
    timeZone: context.timeZone,
    hasOwnTimeZone: settings.timeZone !== undefined,
    signInMethods: provider.signInMethods?.(options) ?? [],
    open() {
      opened ??= provider.open(options, context).catch((thrown: unknown) => {
        opened = undefined;
        throw thrown;
      });
      return opened;
    },
    async close() {
      // One that failed to open has nothing to close.
      const provider = await opened?.catch(() => undefined);
      await provider?.close?.();
    },
    async signIn(prompts, call) {
      if (provider.signIn === undefined)
        throw new CalmcpError('INPUT_INVALID', `account ${id} (${provider.type}) needs no sign-in`, { account: id });
      return provider.signIn(options, context, prompts, call);
    },
    async signOut() {
      return provider.signOut?.(options, context);
    },
    async signInState() {
      return (await provider.signInState?.(options, context)) ?? { state: 'not-needed' };
    },
    endpoints: provider.endpoints?.(options) ?? [],
    childSpec: provider.childSpec?.(options, id, settings.access),
    fetch: (call) => context.fetch(call),
  };
}

/** Opens nothing yet: accounts are opened one by one, when a question first needs them. */
export function openApp(options: AppOptions): App {
  const { config, now, log } = options;
  const closing = new AbortController();
  // One listener for each exchange under way; they end with their exchange's time limit.
  setMaxListeners(0, closing.signal);
  const shared = new Map<string, unknown>();
  const share: ProviderContext['share'] = <T>(key: string, create: () => T): T => {
    if (!shared.has(key)) shared.set(key, create());
    return shared.get(key) as T;
  };
  let timeZone = '';
  let notices: readonly string[] = [];
  /** With all that an account was made from: it is made anew when any of it changes. */
  let accounts: readonly { readonly account: Account; readonly source: string }[] = [];

  function apply({ defaults, accounts: entries }: Config): void {
    timeZone = defaults.timeZone ?? options.systemTimeZone;
    const before = accounts;
    accounts = entries.map((entry) => {
      const source = JSON.stringify([entry.id, entry.provider.type, entry.settings, entry.options, timeZone, defaults]);
      const same = before.find((candidate) => candidate.source === source);
      return same ?? { source, account: openAccount(entry, options, timeZone, defaults, share, closing.signal) };
    });
    notices = [];
    for (const gone of before)
      if (!accounts.includes(gone))
        gone.account
          .close()
          .catch((error: unknown) => log.warn('account not closed', { account: gone.account.id, error }));
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
      await Promise.all(accounts.map(({ account }) => account.close()));
      await options.children.close();
    },
  };
}
