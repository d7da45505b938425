/** Sign-ins that wait for a person while a program goes on: one for each account at most. */

import { CalmcpError, toCalmcpError } from '../core/errors.ts';
import type { Call, Identity, SignInMethod, SignInPrompts } from '../core/provider.ts';

/** Longer than Entra's device codes live (15 minutes), so that it is told as that. */
const SIGN_IN_MS = 20 * 60_000;
/** How long what came of it is kept for whoever asks. */
const KEPT_MS = 10 * 60_000;

/** What a person needs for it. */
export interface SignInWords {
  /** Page to open. */
  readonly url: string;
  /** To be typed there. */
  readonly code?: string;
  /** A browser on this machine shows it already. */
  readonly isOpen?: true;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface SignIn {
  readonly method: SignInMethod;
  /** Resolves when there is something to show. @throws what ended it before that */
  readonly words: Promise<SignInWords>;
  /** @throws CalmcpError */
  readonly done: Promise<Identity>;
  cancel(): void;
}

export interface SignIns {
  /** The one that waits, or one that begins. */
  begin(
    account: string,
    method: SignInMethod,
    signIn: (prompts: SignInPrompts, call: Call) => Promise<Identity>,
  ): SignIn;
  /** One that waits, or has ended and was not told yet. */
  current(account: string): SignIn | undefined;
  /** What came of it has been told. */
  forget(account: string): void;
}

export interface SignInsOptions {
  /** Shows a page on this machine. @returns whether it could */
  readonly openBrowser: (url: string) => Promise<boolean>;
  readonly now: () => number;
  readonly closed: AbortSignal;
}

export function createSignIns({ openBrowser, now, closed }: SignInsOptions): SignIns {
  const open = new Map<string, SignIn>();

  function begin(account: string, method: SignInMethod, signIn: Parameters<SignIns['begin']>[2]): SignIn {
    const ending = new AbortController();
    const timer = setTimeout(
      () => ending.abort(new CalmcpError('AUTH_REQUIRED', 'nobody signed in within 20 minutes', { account })),
      SIGN_IN_MS,
    );
    const close = (): void => ending.abort(closed.reason);
    closed.addEventListener('abort', close, { once: true });
    let show: (words: SignInWords) => void = () => undefined;
    let fail: (error: unknown) => void = () => undefined;
    const words = new Promise<SignInWords>((resolve, reject) => {
      [show, fail] = [resolve, reject];
    });
    const expiresAt = now() + SIGN_IN_MS;
    const prompts: SignInPrompts = {
      method,
      deviceCode: ({ verificationUri, userCode, expiresInSeconds }) =>
        show({ url: verificationUri, code: userCode, expiresAt: now() + expiresInSeconds * 1_000 }),
      async openUrl(url) {
        show({ url, ...((await openBrowser(url)) ? { isOpen: true as const } : {}), expiresAt });
      },
      async pasteAnswer() {
        throw new CalmcpError('INPUT_INVALID', 'there is nowhere to paste an address', {
          account,
          hint: `run: calmcp login --account ${account} --no-browser`,
        });
      },
    };
    const call: Call = {
      signal: ending.signal,
      deadline: performance.now() + SIGN_IN_MS,
      countRequest: () => undefined,
    };
    const aborted = new Promise<never>((_resolve, reject) => {
      ending.signal.addEventListener('abort', () => reject(ending.signal.reason), { once: true });
    });
    // What does not listen (MSAL between two polls) is not waited for.
    const done = Promise.race([signIn(prompts, call), aborted])
      .catch((thrown: unknown) => {
        throw toCalmcpError(ending.signal.aborted ? ending.signal.reason : thrown).of(account);
      })
      .finally(() => {
        clearTimeout(timer);
        closed.removeEventListener('abort', close);
        setTimeout(() => forget(account, entry), KEPT_MS).unref();
      });
    done.catch(fail);
    words.catch(() => undefined);
    const entry: SignIn = {
      method,
      words,
      done,
      cancel() {
        // Whoever asks next begins anew.
        forget(account, entry);
        ending.abort(new CalmcpError('AUTH_REQUIRED', 'the sign-in was called off', { account }));
      },
    };
    open.set(account, entry);
    return entry;
  }

  function forget(account: string, entry = open.get(account)): void {
    if (open.get(account) === entry) open.delete(account);
  }

  return {
    begin: (account, method, signIn) => open.get(account) ?? begin(account, method, signIn),
    current: (account) => open.get(account),
    forget: (account) => forget(account),
  };
}
