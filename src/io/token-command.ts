/** Access tokens that a program of the person's own hands out, instead of a sign-in. */
import { spawn } from 'node:child_process';
import { z } from 'zod';
import { CalmcpError } from '../core/errors.ts';
import { type AccessToken, expiryIn, isFresh, type RequestTokens } from './access-tokens.ts';

/** How long the program may take. */
const LIMIT_MS = 10_000;
/** A token that comes without its end is asked for anew after this. */
const UNTOLD_SECONDS = 600;
const MAX_BYTES = 65_536;
const REMEDY = 'run the tokenCommand of accounts.yaml yourself and see what it says';

export const tokenCommandSchema = z
  .array(z.string().min(1))
  .min(1)
  .describe(
    'Program and arguments that print an access token, or { "accessToken", "expiresOn" }, instead of a sign-in. Run without a shell, for 10 s at most.',
  );

const answerSchema = z.object({
  accessToken: z.string().min(1),
  /** RFC 3339, or what `az account get-access-token` prints. */
  expiresOn: z.union([z.string(), z.number()]).optional(),
});

/** Prints of its own are not passed on: what a program says of its failure may hold what it knows. */
function run([program = '', ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const { CALMCP_PASSPHRASE: _ours, ...env } = process.env;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], shell: false, windowsHide: true, env });
    const parts: Buffer[] = [];
    let size = 0;
    const fail = (error: CalmcpError): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new CalmcpError('UNAVAILABLE', `the token command did not answer within ${LIMIT_MS / 1_000} s`)),
      LIMIT_MS,
    );
    child.stdout.on('data', (part: Buffer) => {
      size += part.byteLength;
      parts.push(part);
      if (size > MAX_BYTES) fail(new CalmcpError('BAD_RESPONSE', 'the token command printed more than a token'));
    });
    child.once('error', (cause: NodeJS.ErrnoException) =>
      fail(
        new CalmcpError('CONFIG_INVALID', 'the token command could not be started', {
          hint: 'check tokenCommand in accounts.yaml: the first entry is the program, the others are its arguments',
          cause,
        }),
      ),
    );
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) return resolve(Buffer.concat(parts).toString('utf8'));
      reject(
        new CalmcpError('AUTH_REQUIRED', `the token command failed (exit ${code ?? 'by signal'})`, {
          hint: REMEDY,
        }),
      );
    });
  });
}

function parseToken(printed: string): AccessToken {
  const text = printed.trim();
  const untold = expiryIn(UNTOLD_SECONDS);
  if (text.startsWith('{')) {
    try {
      const { accessToken, expiresOn } = answerSchema.parse(JSON.parse(text));
      const expiresAt = typeof expiresOn === 'number' ? expiresOn * 1_000 : Date.parse(expiresOn ?? '');
      return { accessToken, expiresAt: Number.isNaN(expiresAt) ? untold : expiresAt };
    } catch {
      throw new CalmcpError('BAD_RESPONSE', 'the token command printed JSON without an accessToken');
    }
  }
  if (text === '' || /\s/.test(text)) throw new CalmcpError('BAD_RESPONSE', 'the token command printed no token');
  return { accessToken: text, expiresAt: untold };
}

/** Runs `command` when a token is needed, once at a time, and keeps what it printed while that is good. */
export function createCommandTokens(command: readonly string[], account: string): RequestTokens {
  let known: AccessToken | undefined;
  let running: Promise<AccessToken> | undefined;
  return {
    remedy: REMEDY,
    async get(rejected) {
      if (known !== undefined && known.accessToken !== rejected && isFresh(known.expiresAt)) return known.accessToken;
      running ??= run(command)
        .then(parseToken)
        .catch((thrown: unknown) => {
          throw thrown instanceof CalmcpError ? thrown.of(account) : thrown;
        })
        .finally(() => {
          running = undefined;
        });
      known = await running;
      return known.accessToken;
    },
    async rest() {
      // The next question asks the program again: it is the person's own, and may know better by then.
      known = undefined;
    },
  };
}
