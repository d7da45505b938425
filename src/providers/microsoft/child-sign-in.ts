/**
 * The sign-in of a child server that keeps its own tokens: its program run once with the flags that it has for that. It may
 * belong to an app registration that the organisation has approved for just this server.
 */
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ChildServer, ChildSpec } from '../../core/child.ts';
import { CalmcpError } from '../../core/errors.ts';
import { requireExpected, whyUnexpected } from '../../core/pinned-identity.ts';
import type { Call, Identity, ProviderContext, SignInPrompts, SignInState } from '../../core/provider.ts';
import type { RequestTokens } from '../../io/access-tokens.ts';
import { writePrivateFile } from '../../io/private-file.ts';
import { limitedSignal } from '../../io/time-limit.ts';
import { ownCache } from './child.ts';
import type { MicrosoftOptions } from './options.ts';

/** How long the program may take for what needs no person. */
const ERRAND_MS = 20_000;
/** A device code is good for a quarter of an hour: Entra ID. */
const CODE_SECONDS = 900;

const accountsSchema = z.object({
  accounts: z.array(z.object({ id: z.string(), username: z.string() })),
});

const identitySchema = z.object({ id: z.string(), username: z.string() });

/** Who signed in last by {@link openChildSignIn}, as calmcp noted it. */
async function notedIdentity(file: string): Promise<Identity | undefined> {
  try {
    return identitySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * Stands for the tokens that are none of calmcp's business. Nothing is asked of the server before somebody has signed in whom
 * accounts.yaml expects: it would end as it is started, over and over, or answer with somebody else's calendars.
 */
export function ownTokens(
  options: MicrosoftOptions,
  { folder }: ChildServer,
  { account }: ProviderContext,
): RequestTokens {
  const remedy = `run: calmcp login --account ${account}`;
  const { identity: file } = ownCache(folder, options);
  const needsLogin = (message: string): CalmcpError =>
    new CalmcpError('AUTH_REQUIRED', message, { account, hint: remedy });
  return {
    remedy,
    async get(rejected) {
      const identity = await notedIdentity(file);
      if (identity === undefined) throw needsLogin('nobody is signed in');
      const reason = whyUnexpected(identity, options.username);
      if (reason !== undefined) throw needsLogin(reason);
      if (rejected !== undefined) throw needsLogin('Microsoft no longer accepts the sign-in of its child server');
      return '';
    },
    rest: async () => undefined,
  };
}

const seeLog = (account: string): string => `see what it said: calmcp children logs ${account}`;

export interface ChildSignIn {
  signIn(prompts: SignInPrompts, call: Call): Promise<Identity>;
  signOut(): Promise<void>;
  state(): Promise<SignInState>;
}

export function openChildSignIn(
  options: MicrosoftOptions,
  spec: ChildSpec,
  child: ChildServer,
  { account, closed }: ProviderContext,
): ChildSignIn {
  // Scopes follow from the tools, so it is run with the flags that it serves with.
  const flags = spec.args(0);

  async function errand(what: string): Promise<string> {
    const late = (): CalmcpError =>
      new CalmcpError('UNAVAILABLE', `its child server did not say who is signed in within ${ERRAND_MS / 1_000} s`);
    const { status, stdout } = await child.runOnce([...flags, what], {
      signal: limitedSignal(ERRAND_MS, late, closed),
    });
    if (status === 0) return stdout;
    throw new CalmcpError('UNAVAILABLE', 'its child server could not say who is signed in', {
      account,
      hint: seeLog(account),
    });
  }

  async function whoIs(): Promise<Identity | undefined> {
    const printed = await errand('--list-accounts');
    try {
      const { accounts } = accountsSchema.parse(JSON.parse(printed.slice(printed.indexOf('{'))));
      const [first] = accounts;
      return first === undefined ? undefined : { id: first.id, username: first.username };
    } catch (cause) {
      throw new CalmcpError('BAD_RESPONSE', 'its child server does not say in a known way who is signed in', {
        account,
        cause,
      });
    }
  }

  const cache = ownCache(child.folder, options);
  const files = Object.values(cache);

  const aside = (file: string): string => `${file}.before`;
  const remove = (names: readonly string[]): Promise<unknown> =>
    Promise.all(names.map((name) => rm(name, { force: true })));

  /** All of it, what a sign-in that was cut short had put aside included, and the key that it was sealed with. */
  async function forget(): Promise<void> {
    await child.stop();
    await remove([...files, ...files.map(aside), join(child.folder, '.cache-key')]);
  }

  /** Whoever was signed in stays so until somebody else has signed in. */
  async function withCleanCache<T>(work: () => Promise<T>): Promise<T> {
    await child.stop();
    for (const file of files) await rename(file, aside(file)).catch(() => undefined);
    try {
      const result = await work();
      await remove(files.map(aside));
      return result;
    } catch (thrown) {
      await child.stop();
      await remove(files);
      for (const file of files) await rename(aside(file), file).catch(() => undefined);
      throw thrown;
    }
  }

  const failed = (): CalmcpError =>
    new CalmcpError('AUTH_REQUIRED', 'the sign-in of its child server failed', { account, hint: seeLog(account) });

  async function logIn(prompts: SignInPrompts, call: Call): Promise<void> {
    let said = '';
    let isShown = false;
    const { status } = await child.runOnce([...flags, '--login'], {
      signal: call.signal,
      heard(text) {
        said = (said + text).slice(-4_096);
        // The words of Entra ID, which the program repeats.
        const [, address, code] = /(https?:\/\/\S+)\s+and enter the code\s+([A-Z0-9-]{6,})\s/i.exec(said) ?? [];
        if (isShown || address === undefined || code === undefined) return;
        isShown = true;
        prompts.deviceCode({ verificationUri: address, userCode: code, expiresInSeconds: CODE_SECONDS });
      },
    });
    if (status !== 0) throw failed();
  }

  return {
    async signIn(prompts, call) {
      const before = await whoIs();
      return withCleanCache(async () => {
        await logIn(prompts, call);
        const identity = await whoIs();
        if (identity === undefined) throw failed();
        requireExpected(identity, options.username, before);
        await writePrivateFile(cache.identity, JSON.stringify(identity));
        return identity;
      });
    },
    signOut: forget,
    async state() {
      const identity = (await notedIdentity(cache.identity)) && (await whoIs());
      if (identity === undefined) return { state: 'needs-login' };
      const reason = whyUnexpected(identity, options.username);
      return reason === undefined ? { state: 'signed-in', identity } : { state: 'needs-login', identity, reason };
    },
  };
}
