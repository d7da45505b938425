/** Takes a person through the sign-in of one account. */
import type { Account } from '../accounts/registry.ts';
import { CalmcpError } from '../core/errors.ts';
import type { Call, Identity, SignInMethod, SignInPrompts } from '../core/provider.ts';
import { hasBrowser, openBrowser } from '../io/open-browser.ts';
import { limitedSignal } from '../io/time-limit.ts';
import { withProgress } from './progress.ts';
import type { Shell } from './shell.ts';

/** Longer than Entra's device codes live (15 minutes), so that it is told as that; a browser has five minutes. */
const SIGN_IN_MS = 20 * 60_000;
/** How long a sign-in that was interrupted has to close its listener and to tell the browser. */
const CLEANUP_MS = 1_000;

export interface SignInChoice {
  /** `false`: no browser here can come back to us. */
  readonly browser?: boolean | undefined;
  readonly deviceCode?: boolean | undefined;
}

/** The way that was asked for, else a browser where there is one. @throws CalmcpError INPUT_INVALID for one that the provider lacks */
function chooseMethod({ id, provider, signInMethods }: Account, choice: SignInChoice, shell: Shell): SignInMethod {
  const [first, ...others] = signInMethods;
  if (first === undefined)
    throw new CalmcpError('INPUT_INVALID', `account ${id} (${provider.type}) needs no sign-in`, { account: id });
  const elsewhere = others[0] ?? first;
  if (choice.deviceCode) {
    if (signInMethods.includes('device-code')) return 'device-code';
    throw new CalmcpError('INPUT_INVALID', `${provider.title} has no device code for calendars`, {
      account: id,
      hint: `run: calmcp login --account ${id} --no-browser`,
    });
  }
  return (choice.browser ?? hasBrowser(shell)) ? first : elsewhere;
}

/** Ctrl-C is not kept waiting by what does not listen to it (MSAL between two polls, a lock). */
async function signInUntil({ signal, ...call }: Call, account: Account, prompts: SignInPrompts): Promise<Identity> {
  signal.throwIfAborted();
  const cleanedUp = new AbortController();
  const left = new Promise<never>((_resolve, reject) => {
    const leave = (): void => {
      const timer = setTimeout(() => reject(signal.reason), CLEANUP_MS);
      cleanedUp.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    signal.addEventListener('abort', leave, { once: true, signal: cleanedUp.signal });
  });
  try {
    return await Promise.race([account.signIn(prompts, { signal, ...call }), left]);
  } catch (thrown) {
    throw thrown instanceof CalmcpError ? thrown.of(account.id) : thrown;
  } finally {
    cleanedUp.abort();
  }
}

export async function signInTo(account: Account, choice: SignInChoice, shell: Shell): Promise<Identity> {
  const method = chooseMethod(account, choice, shell);
  // A line of progress may stand there.
  const start = shell.stderr.isTerminal ? '\r\u001b[K' : '';
  const say = (text: string): void => shell.stderr.write(`${start}${account.id}: ${text}\n`);
  const prompts: SignInPrompts = {
    method,
    deviceCode: ({ verificationUri, userCode, expiresInSeconds }) =>
      say(`open ${verificationUri} and type ${userCode} (within ${Math.round(expiresInSeconds / 60)} minutes)`),
    async openUrl(url) {
      const opened = await openBrowser(url, shell);
      say(opened ? `go on in your browser; if it shows nothing, open ${url}` : `open ${url}`);
    },
    async pasteAnswer(url, signal) {
      say(`open this address in a browser, on any machine:\n\n${url}\n`);
      say('the last page will not load; paste its whole address here:');
      return shell.readLine(signal);
    },
  };
  const call: Call = {
    signal: limitedSignal(
      SIGN_IN_MS,
      () => new CalmcpError('AUTH_REQUIRED', 'nobody signed in within 20 minutes'),
      shell.interrupted,
    ),
    deadline: performance.now() + SIGN_IN_MS,
    countRequest: () => undefined,
  };
  // Whoever has to paste something must not have a line of progress written over it.
  if (method === 'paste') return signInUntil(call, account, prompts);
  return withProgress(shell.stderr, `waiting for the sign-in of ${account.id}`, () =>
    signInUntil(call, account, prompts),
  );
}
