/** The authorization code flow of RFC 8252 with PKCE (RFC 7636), in a browser that comes back or is pasted back. */
import { createHash, randomBytes } from 'node:crypto';
import { CalmcpError } from '../core/errors.ts';
import type { Call, SignInPrompts } from '../core/provider.ts';
import { openLoopback } from './loopback.ts';
import { limitedSignal } from './time-limit.ts';

/** How long a person has for it. */
const PERSON_MS = 300_000;

export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly state: string;
  /** S256 */
  readonly codeChallenge: string;
}

export interface AuthorizationCode {
  readonly code: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

export interface BrowserSignIn<T> {
  /** Host of the redirect address as the vendor wants it; we listen on 127.0.0.1 in either case. */
  readonly redirectHost: 'localhost' | '127.0.0.1';
  /** The page to send the person to. */
  authorizationUrl(request: AuthorizationRequest): Promise<string> | string;
  /** Redeems the code and checks who came. @returns what to say to the person, and the result */
  redeem(code: AuthorizationCode): Promise<{ readonly message: string; readonly value: T }>;
}

const random = (): string => randomBytes(32).toString('base64url');

/** @throws CalmcpError for an answer that is a refusal */
function codeOf(params: URLSearchParams): string {
  const error = params.get('error');
  const hint = 'run: calmcp login --account <account>';
  if (error === 'access_denied') throw new CalmcpError('FORBIDDEN', 'the sign-in was declined', { hint });
  if (error !== null) {
    const word = error.replaceAll(/[^\w.-]/g, '').slice(0, 60);
    const cause = params.get('error_description');
    throw new CalmcpError('AUTH_REQUIRED', `the sign-in service refused (${word})`, { hint, cause });
  }
  const code = params.get('code');
  if (code === null || code === '') throw new CalmcpError('BAD_RESPONSE', 'the sign-in service sent no code', { hint });
  return code;
}

function pastedParams(pasted: string, state: string): URLSearchParams {
  const text = pasted.trim();
  if (!URL.canParse(text))
    throw new CalmcpError('INPUT_INVALID', 'that is no web address', {
      hint: 'run the command again and paste the whole address that the browser ended up at, from http:// to its end',
    });
  const { searchParams } = new URL(text);
  if (searchParams.get('state') !== state)
    throw new CalmcpError('INPUT_INVALID', 'that address belongs to another sign-in', {
      hint: 'run the command again and paste the address of the page it opens',
    });
  return searchParams;
}

/** What `work` gives, or the reason of `signal` as soon as it aborts: what is under way then goes on unwatched. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * Sends a person to the vendor's page and redeems the code that comes back. No listener is left.
 * @param limitMs how long the person has: five minutes
 * @throws CalmcpError AUTH_REQUIRED when nobody came back in time, or the reason of `call.signal`
 */
export async function signInWithBrowser<T>(
  flow: BrowserSignIn<T>,
  prompts: SignInPrompts,
  call: Call,
  limitMs: number = PERSON_MS,
): Promise<T> {
  const [state, codeVerifier] = [random(), random()];
  const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');

  /** Runs what a person is waited for in. What comes after it has limits of its own. */
  async function within<A>(person: (signal: AbortSignal) => Promise<A>): Promise<A> {
    call.signal.throwIfAborted();
    const late = (): CalmcpError =>
      new CalmcpError('AUTH_REQUIRED', 'nobody came back from the sign-in page within five minutes', {
        hint: 'run: calmcp login --account <account>',
      });
    const signal = limitedSignal(limitMs, late, call.signal);
    return orAborted(person(signal), signal);
  }

  const urlFor = (redirectUri: string): Promise<string> =>
    orAborted(Promise.resolve(flow.authorizationUrl({ redirectUri, state, codeChallenge })), call.signal);

  const redeem = (params: URLSearchParams, redirectUri: string): ReturnType<typeof flow.redeem> =>
    orAborted(flow.redeem({ code: codeOf(params), codeVerifier, redirectUri }), call.signal);

  async function pasted(): Promise<T> {
    // Nobody listens there: the page fails to load, and its address carries the answer.
    const redirectUri = `http://${flow.redirectHost}:1`;
    const url = await urlFor(redirectUri);
    const answer = await within((signal) => prompts.pasteAnswer(url, signal));
    return (await redeem(pastedParams(answer, state), redirectUri)).value;
  }

  async function listened(): Promise<T> {
    const loopback = await openLoopback();
    let outcome = { ok: false, message: 'The sign-in did not come to its end.' };
    try {
      // Without a path, as both vendors write it in their documents.
      const redirectUri = `http://${flow.redirectHost}:${loopback.port}`;
      const url = await urlFor(redirectUri);
      const params = await within(async (signal) => {
        const answer = loopback.answer(state, signal);
        // It may fail before it is waited for.
        answer.catch(() => undefined);
        await prompts.openUrl(url);
        return answer;
      });
      const { message, value } = await redeem(params, redirectUri);
      outcome = { ok: true, message };
      return value;
    } catch (thrown) {
      if (thrown instanceof CalmcpError) outcome = { ok: false, message: `calmcp says: ${thrown.message}.` };
      throw thrown;
    } finally {
      await loopback.finish(outcome);
    }
  }

  return prompts.method === 'paste' ? pasted() : listened();
}
