/** The port. A provider author needs this file, `event.ts`, `errors.ts` and the folder `providers/memory` to copy. */
import type { Temporal } from 'temporal-polyfill';
import type { z } from 'zod';
import type { Limits, Patience } from './budget.ts';
import type { Call } from './call.ts';
import type { EventWriter } from './change.ts';
import type { ChildServers, ChildSpec } from './child.ts';
import type { CalmcpError } from './errors.ts';
import type { BusyBlock, Calendar, CalendarEvent, Range } from './event.ts';

export type { Call };

/**
 * What one calendar said about a range: all its events, or why there is no telling. `problems` name parts of it that
 * could not be read (one series too large to expand, say): the events are right, the answer is incomplete.
 */
export type CalendarRead =
  | {
      readonly calendar: Calendar;
      readonly events: readonly CalendarEvent[];
      /** Epoch milliseconds at which the backend was asked. */
      readonly asOf: number;
      readonly problems?: readonly CalmcpError[];
      /** What {@link CalendarProvider.stillHolds} takes; absent where the backend gave none. */
      readonly mark?: string;
    }
  | { readonly calendar: Calendar; readonly error: CalmcpError };

/** How much of each event is read: `agenda` may leave out attendees and texts, which cost much; `full` may not. */
export type ReadDepth = 'agenda' | 'full';

/** What somebody else's calendar told: all that is not free in the range, or why there is no telling. */
export type PersonBusy =
  | { readonly person: string; readonly blocks: readonly BusyBlock[] }
  | { readonly person: string; readonly error: CalmcpError };

export interface CalendarProvider {
  /** @throws CalmcpError when the list is not known completely */
  listCalendars(call: Call): Promise<readonly Calendar[]>;
  /**
   * Per calendar: all occurrences that overlap `range`, recurrences expanded and complete, or that calendar's error.
   * All-day events overlap by their civil dates, so a reader that works by instants asks a day more on both sides
   * and lets the caller cut: events outside of `range` are allowed, missing ones are not.
   */
  readCalendars(
    calendars: readonly Calendar[],
    range: Range,
    call: Call,
    depth?: ReadDepth,
  ): Promise<readonly CalendarRead[]>;
  /**
   * Whether calendars still say what they said when they were read, for less than reading them again costs. One entry for
   * each of `read`, in their order: a new mark where nothing has changed, `undefined` where something may have.
   * Left out where reading again costs no more.
   * @throws CalmcpError when nobody can tell
   */
  stillHolds?(
    read: readonly { readonly calendar: Calendar; readonly mark: string }[],
    call: Call,
  ): Promise<readonly (string | undefined)[]>;
  /**
   * Busy times of other people, by e-mail address, in any number and over any range: chunked to the vendor's limits.
   * One answer for each of `people`, in their order. Titles and places that a vendor sends along are dropped. Left out
   * where the backend cannot tell.
   * @throws CalmcpError when nothing is known of anybody
   */
  freeBusy?(people: readonly string[], range: Range, call: Call): Promise<readonly PersonBusy[]>;
  /** Reading costs nothing, so it is done for every question: a file of this machine. */
  readonly isLocal?: true;
  /** Left out where nothing can be changed, by the backend's nature or by the account's `access`. */
  readonly writer?: EventWriter;
  close?(): Promise<void>;
}

/** Sealed values of one account's cache key. */
export interface SecretStore {
  /** @throws CalmcpError when something is there that cannot be opened: never `undefined` for that */
  load(): Promise<string | undefined>;
  save(value: string): Promise<void>;
  remove(): Promise<void>;
  /** Differs when the value has been saved or removed since, by any process. Costs next to nothing. */
  version(): Promise<string>;
  /**
   * Runs `work` while nobody else runs theirs for this cache key, in any process: around a read and a write that belong
   * together. Not to be nested.
   * @throws CalmcpError UNAVAILABLE when others keep it for too long
   */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
}

export interface Logger {
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  debug(message: string, details?: Readonly<Record<string, unknown>>): void;
}

export interface RequestTraits {
  /** Slots of the account's concurrency that it takes; default 1. */
  readonly weight?: number;
  /** Requests that the service counts it as; default 1. */
  readonly cost?: number;
  /** Changes nothing on the server though its method may (a `$batch` of GETs), so it may be sent again. */
  readonly safe?: boolean;
  /** Largest body taken, in bytes; default 64 MiB. */
  readonly maxBytes?: number;
  /** It failed so as a part of another request, and is sent again by itself. */
  readonly after?: CalmcpError | undefined;
  /** Whether a refusal means "slow down" though its status does not say so (Google's 403 `rateLimitExceeded`). */
  readonly isThrottled?: (failure: { readonly status: number; readonly body: string }) => boolean;
}

/** The part of the platform's `fetch` that calmcp uses. */
export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** What a server answered, read to its last byte. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export type Send = (input: string | URL, init?: RequestInit) => Promise<HttpAnswer>;

export interface ProviderContext {
  readonly account: string;
  /** HTTP for one question: deadline, bounded retry, status -> CalmcpError and request count are in it. */
  readonly fetch: (call: Call, traits?: RequestTraits) => Send;
  /** The account's budgets, for what is asked by another way than {@link fetch}, which has them in it. */
  readonly patience: Patience;
  /** Sealed values under this account's {@link ProviderDefinition.cacheKey}. */
  readonly secrets: SecretStore;
  /** One value per app for `key`, shared by all accounts of this provider (one token cache, one client). */
  readonly share: <T>(key: string, create: () => T) => T;
  readonly readFile: ReadFile;
  /** How much may be asked of the provider. */
  readonly access: 'busy' | 'read' | 'write';
  /** The account's zone: its own, else the default one. Floating times are read in it. */
  readonly timeZone: string;
  readonly now: () => Temporal.Instant;
  readonly log: Logger;
  /** Aborts when the app closes: ends what belongs to no single question. */
  readonly closed: AbortSignal;
  /** For an account that is read through a child server of its own. */
  readonly children: ChildServers;
}

/**
 * A file, or the files with one of `extensions` in a folder, sorted by name. Paths are relative to accounts.yaml. A
 * file of a folder that cannot be read is its own `error`.
 * @throws CalmcpError NOT_FOUND where there is no such file or folder
 */
export type ReadFile = (
  path: string,
  options: { readonly extensions: readonly string[]; readonly maxBytes: number },
) => Promise<readonly FileRead[]>;

export type FileRead =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly error: CalmcpError };

/** Who turned out to be signed in. */
export interface Identity {
  /** The vendor's immutable id of this person in this tenant. */
  readonly id: string;
  readonly username: string;
}

/**
 * `browser`: a browser on this machine comes back to calmcp by itself. `device-code`: a code is typed on a web page
 * anywhere. `paste`: a page is opened anywhere, and the address it ends at is pasted back.
 */
export type SignInMethod = 'browser' | 'device-code' | 'paste';

/** What sign-in needs a person for. */
export interface SignInPrompts {
  readonly method: SignInMethod;
  /** Shows where to go and which code to type. */
  deviceCode(prompt: {
    readonly verificationUri: string;
    readonly userCode: string;
    readonly expiresInSeconds: number;
  }): void;
  /** Takes the person to a web page on this machine. */
  openUrl(url: string): Promise<void>;
  /** Shows the address of a web page. @returns the address that the browser ended up at */
  pasteAnswer(url: string, signal: AbortSignal): Promise<string>;
}

/** Where an account stands without asking anybody. */
export interface SignInState {
  readonly state: 'signed-in' | 'needs-login' | 'not-needed';
  readonly identity?: Identity;
  /** Why somebody who is signed in needs to sign in again. */
  readonly reason?: string;
  /** What was granted, in the vendor's words. */
  readonly scopes?: readonly string[];
  /** Epoch milliseconds at which the sign-in ends if it is not used before, as far as the vendor's rules tell. */
  readonly lastsUntil?: number;
}

/** What every account of every provider may say in accounts.yaml; a provider's own options come beside it. */
export interface ProviderDefinition<Options extends z.ZodObject = z.ZodObject> {
  /** The value of `provider:` in accounts.yaml. */
  readonly type: string;
  readonly title: string;
  /** Strict, described field by field: docs and JSON Schema come from it. */
  readonly options: Options;
  /** What no single field can say (exactly one of two): a sentence for the person who wrote it, or nothing. */
  check?(options: z.output<Options>): string | undefined;
  /** What the accounts that share tokens have in common. Left out where there is nothing to seal. */
  cacheKey?(options: z.output<Options>, account: string): string;
  /** What one account may ask of one host where accounts.yaml does not say; default: 8 requests at once. */
  readonly limits?: Limits;
  /**
   * The app registration that an account asks through. What several accounts with the same `key` ask of one host is counted
   * together, too.
   */
  registration?(options: z.output<Options>): {
    /** As `registrations` in accounts.yaml calls it. */
    readonly clientId: string;
    /** Tells it from one with the same id elsewhere. */
    readonly key: string;
  };
  /** What one registration may ask of one host where accounts.yaml does not say; default: as much as its accounts may. */
  readonly registrationLimits?: Limits;
  /** Whether a throttling is about the registration as a whole, not just about the account. */
  isThrottledForAll?(failure: { readonly status: number; readonly body: string }): boolean;
  /** How a person can sign in, the way for a machine with a browser first; none where nobody has to. */
  signInMethods?(options: z.output<Options>): readonly SignInMethod[];
  signIn?(options: z.output<Options>, context: ProviderContext, prompts: SignInPrompts, call: Call): Promise<Identity>;
  /** @returns what the person should know beyond "done" (the vendor could not be told, say) */
  signOut?(options: z.output<Options>, context: ProviderContext): Promise<string | undefined>;
  signInState?(options: z.output<Options>, context: ProviderContext): Promise<SignInState>;
  open(options: z.output<Options>, context: ProviderContext): Promise<CalendarProvider>;
  /** The child server that the account is read through, where it is. With `access: write` it may change things, too. */
  childSpec?(options: z.output<Options>, account: string, access?: ProviderContext['access']): ChildSpec | undefined;
  /** Addresses that must be reachable: origins, as a path may be a secret. Left out where nothing is asked over the network. */
  endpoints?(options: z.output<Options>): readonly string[];
  /** Where its calendars are, in a few words without a secret: a tenant, a host, a folder. */
  where?(options: z.output<Options>): string;
}
