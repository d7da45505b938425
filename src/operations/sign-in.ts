import { z } from 'zod';
import type { Account } from '../accounts/registry.ts';
import type { SignIn, SignInWords } from '../accounts/sign-ins.ts';
import { CalmcpError, toCalmcpError } from '../core/errors.ts';
import type { Identity, SignInMethod } from '../core/provider.ts';
import { neutralize } from '../core/text.ts';
import { orAbort } from './deadline.ts';
import { type Asker, defineOperation } from './operation.ts';

/** How long one call waits for the person, in milliseconds: clients cut calls off after a minute. */
const WAIT_MS = 20_000;

const input = z.strictObject({
  account: z.string(),
  method: z.enum(['browser', 'device-code']).optional(),
});

const output = z.object({
  account: z.string(),
  status: z.enum(['signed-in', 'waiting']),
  username: z.string().optional(),
  url: z.string().optional(),
  opened: z.literal(true).optional().describe('The page is in a browser already.'),
  code: z.string().optional(),
  expiresInSeconds: z.number().optional(),
  message: z.string().describe('For the person, word for word.'),
});

export type SignInAnswer = z.output<typeof output>;

/** The way that was asked for; else a code, which works from anywhere, where there is one. @throws CalmcpError INPUT_INVALID */
function methodOf({ id, provider, signInMethods }: Account, asked: SignInMethod | undefined): SignInMethod {
  if (signInMethods.length === 0)
    throw new CalmcpError('INPUT_INVALID', `account ${id} (${provider.type}) needs no sign-in`, { account: id });
  const method = asked ?? (signInMethods.includes('device-code') ? 'device-code' : 'browser');
  if (signInMethods.includes(method)) return method;
  throw new CalmcpError('INPUT_INVALID', `${provider.title} has no sign-in by ${method}`, {
    account: id,
    hint: `run: calmcp login --account ${id}`,
  });
}

function messageOf(account: string, { url, code, isOpen }: SignInWords): string {
  if (code !== undefined) return `To sign in to ${account}, open ${url} and type the code ${code}.`;
  return isOpen
    ? `To sign in to ${account}, go on in the browser that has just opened; if it shows nothing, open ${url}`
    : `To sign in to ${account}, open this page in a browser on the machine that calmcp runs on: ${url}`;
}

const signedIn = (account: string, { username }: Identity): SignInAnswer => ({
  account,
  status: 'signed-in',
  username: neutralize(username),
  message: `${account} is signed in as ${neutralize(username)}.`,
});

/** What it comes to within a time; nothing where it still waits. @throws what ended it */
async function within(done: Promise<Identity>, milliseconds: number, { signal }: Asker): Promise<Identity | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await orAbort(Promise.race([done, late]), signal);
  } finally {
    clearTimeout(timer);
  }
}

export const signIn = defineOperation({
  name: 'sign_in',
  title: 'Sign in',
  description:
    'Starts the sign-in of an account and returns the words to show the person; call it again when they have done it.',
  effect: 'sign-in',
  input,
  output,
  async run(app, { account: id, method }, asker) {
    const account = app.account(id);
    let before = app.signIns.current(id);
    if (before === undefined) {
      // Where nothing can be saved, nobody is sent to a page in vain.
      await orAbort(account.signInState(), asker.signal).catch((thrown: unknown) => {
        throw toCalmcpError(thrown).of(id);
      });
      // Somebody else may have been faster.
      before = app.signIns.current(id);
    }
    const current: SignIn =
      before ?? app.signIns.begin(id, methodOf(account, method), (prompts, call) => account.signIn(prompts, call));
    try {
      const words = await orAbort(current.words, asker.signal);
      // The first call has to show its words; a later one comes when the person says that it is done.
      const identity = await within(current.done, before === undefined ? 0 : WAIT_MS, asker);
      if (identity !== undefined) {
        app.signIns.forget(id);
        return signedIn(id, identity);
      }
      const { url, code, isOpen, expiresAt } = words;
      return {
        account: id,
        status: 'waiting' as const,
        url,
        ...(isOpen ? { opened: isOpen } : {}),
        ...(code === undefined ? {} : { code }),
        expiresInSeconds: Math.max(0, Math.round((expiresAt - app.now().epochMilliseconds) / 1_000)),
        message: messageOf(id, words),
      };
    } catch (thrown) {
      if (!asker.signal.aborted) app.signIns.forget(id);
      throw thrown;
    }
  },
});
