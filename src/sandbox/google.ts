import { setTimeout as wait } from 'node:timers/promises';
import { lostAnswer } from './faults.ts';
import { authenticateGoogle, findGoogleToken } from './google-auth.ts';
import { authorizePath, showConsentPage, submitConsentPage } from './google-authorize.ts';
import { answerOfBatch, batchPath, parseGoogleBatch } from './google-batch.ts';
import type { GoogleContext } from './google-context.ts';
import { tokenInfo, userInfo } from './google-identity.ts';
import { answerCalendar } from './google-routes.ts';
import { redeemAtGoogle, revokeAtGoogle } from './google-token.ts';
import { type Answer, answerOf, type Incoming } from './http.ts';
import { recordOf, type SandboxRequest } from './records.ts';

/** Where a client finds Google in the sandbox: what it takes instead of accounts.google.com and googleapis.com. */
export interface GoogleEndpoints {
  readonly authorize: string;
  readonly token: string;
  readonly revoke: string;
  readonly tokenInfo: string;
  readonly userInfo: string;
  /** `calendar/v3/` follows. Of `rootUrl` for a whole generated client only the origin counts: that works as well. */
  readonly rootUrl: string;
}

export function googleEndpoints(origin: string): GoogleEndpoints {
  return {
    authorize: `${origin}${authorizePath}`,
    token: `${origin}/google/token`,
    revoke: `${origin}/google/revoke`,
    tokenInfo: `${origin}/google/tokeninfo`,
    userInfo: `${origin}/google/userinfo`,
    rootUrl: `${origin}/google/`,
  };
}

/** Google's OAuth 2.0 and Calendar API v3, as far as reading calendars and changing events needs them. */
export function answerGoogle(incoming: Incoming, context: GoogleContext, record: SandboxRequest): Promise<Answer> {
  return answerOf(() => {
    if (incoming.path.startsWith('/google/calendar/v3/')) return calendar(incoming, context);
    return incoming.path === batchPath && incoming.method === 'POST'
      ? batch(incoming, context, record)
      : identity(incoming, context);
  });
}

/**
 * Each call is answered as if it had come alone, its token looked at and its faults striking. The real one counts each for
 * the quotas, too, of which the sandbox has none: `batch` of the record has them, one by one.
 */
async function batch(outer: Incoming, context: GoogleContext, record: SandboxRequest): Promise<Answer> {
  const calls = parseGoogleBatch(outer);
  const answers = calls.map(async (call) => {
    const { incoming } = call;
    const holder = findGoogleToken(incoming.headers.authorization, context.grants);
    const inner = recordOf(incoming, holder);
    record.batch?.push(inner);
    const { method, path } = incoming;
    const target = { method, path, ...(holder === undefined ? {} : { mailbox: holder.user.username }) };
    const struck = await context.faults.strike(target, true, incoming.signal);
    const answer =
      struck === undefined || struck === lostAnswer ? await answerOf(() => calendar(incoming, context)) : struck;
    inner.status = answer.status;
    return [call, answer] as const;
  });
  return answerOfBatch(await Promise.all(answers));
}

function identity(incoming: Incoming, context: GoogleContext): Answer {
  const { method, path } = incoming;
  const play = endpoints[path];
  if (play === undefined) return notThere();
  const answer = play[method];
  return answer === undefined ? { status: 405, headers: {}, body: '' } : answer(incoming, context);
}

type Play = (incoming: Incoming, context: GoogleContext) => Answer;

const endpoints: Readonly<Record<string, Readonly<Record<string, Play>>>> = {
  [authorizePath]: { GET: showConsentPage, POST: submitConsentPage },
  '/google/token': { POST: redeemAtGoogle },
  '/google/revoke': { POST: revokeAtGoogle },
  '/google/tokeninfo': { GET: tokenInfo, POST: tokenInfo },
  '/google/userinfo': { GET: userInfo, POST: userInfo },
};

async function calendar(incoming: Incoming, context: GoogleContext): Promise<Answer> {
  const token = authenticateGoogle(incoming.headers.authorization, context.grants, context.now());
  if (context.delayMs > 0) await wait(context.delayMs, undefined, { signal: incoming.signal });
  const path = incoming.path.slice('/google/calendar/v3/'.length);
  // As the data has the person now: tests may have put another in the place.
  const user = context.data.users.find(({ sub }) => sub === token.user.sub) ?? token.user;
  return answerCalendar(incoming, path, { ...token, user }, context) ?? notThere();
}

function notThere(): Answer {
  return {
    status: 404,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<!doctype html><title>Error 404 (Not Found)!!1</title><p><b>404.</b> That’s an error.</p>\n',
  };
}
