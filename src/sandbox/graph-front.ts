import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { SandboxData } from './data.ts';
import { type Faults, lostAnswer } from './faults.ts';
import type { AccessToken, Grants } from './grants.ts';
import { answerGraph } from './graph.ts';
import { authenticate, findToken } from './graph-auth.ts';
import { type BatchStep, parseBatch, runBatch } from './graph-batch.ts';
import { graphRefusal } from './graph-refusal.ts';
import type { GraphRules } from './graph-rules.ts';
import { type Answer, answerOf, type Incoming } from './http.ts';
import { createMailboxLimit } from './mailbox-limit.ts';
import { recordOf, type SandboxMail, type SandboxRequest } from './records.ts';

export interface GraphContext {
  readonly data: SandboxData;
  readonly grants: Grants;
  readonly faults: Faults;
  readonly mails: SandboxMail[];
  readonly rules: GraphRules;
  /** How long every answer takes, so that requests overlap. */
  readonly delayMs: number;
  readonly now: () => number;
}

/** What stands before Graph: authentication, the concurrency limit, `$batch`, and the headers of every answer. */
export function createGraphFront({ data, grants, faults, mails, rules, delayMs, now }: GraphContext) {
  const limit = createMailboxLimit();

  return async (incoming: Incoming, record: SandboxRequest): Promise<Answer> => {
    const answer = await answerOf(() => play(incoming, record));
    return withHeaders(answer, incoming);
  };

  async function play(incoming: Incoming, record: SandboxRequest): Promise<Answer> {
    const token = authenticate(incoming.headers.authorization, grants, now());
    if (incoming.path !== '/v1.0/$batch') return one(incoming, token);
    if (incoming.method !== 'POST') throw graphRefusal(405, 'BadRequest', 'Only POST is allowed for $batch.');
    return batch(incoming, token, record);
  }

  async function one(incoming: Incoming, token: AccessToken): Promise<Answer> {
    const leave = limit.enter(token.user.username);
    try {
      if (delayMs > 0) await wait(delayMs, undefined, { signal: incoming.signal });
      return answerGraph(incoming, token, { data, mails, rules, now });
    } finally {
      leave();
    }
  }

  /** The sandbox plays no writes in a batch. A token may be revoked while the batch is under way. */
  async function readOnly(incoming: Incoming): Promise<Answer> {
    const token = authenticate(incoming.headers.authorization, grants, now());
    if (incoming.method === 'GET' || incoming.path.endsWith('/getSchedule')) return one(incoming, token);
    throw graphRefusal(405, 'ErrorInvalidRequest', `${incoming.method} is not allowed in a batch (by the sandbox).`);
  }

  async function batch(outer: Incoming, token: AccessToken, record: SandboxRequest): Promise<Answer> {
    const steps = parseBatch(outer.body);
    const inner = steps.map((step) => stepRequest(step, outer));
    const records = inner.map((incoming) => recordOf(incoming, token));
    record.batch?.push(...records);

    return runBatch(
      steps,
      async (_, index) => {
        const [incoming, stepRecord] = [inner[index], records[index]];
        if (incoming === undefined || stepRecord === undefined) throw new RangeError(`no step ${index}`);
        const target = { method: incoming.method, path: incoming.path, mailbox: token.user.username };
        const struck = await faults.strike(target, true, incoming.signal);
        const answer =
          struck === undefined || struck === lostAnswer ? await answerOf(() => readOnly(incoming)) : struck;
        stepRecord.status = answer.status;
        return answer;
      },
      (index, { status }) => {
        const skipped = records[index];
        if (skipped !== undefined) skipped.status = status;
      },
    );
  }
}

export function tokenOf(incoming: Incoming, grants: Grants): AccessToken | undefined {
  return findToken(incoming.headers.authorization, grants);
}

function stepRequest({ method, url, headers }: BatchStep, outer: Incoming): Incoming {
  const { pathname, searchParams } = new URL(`/v1.0${url}`, 'http://sandbox');
  return {
    ...outer,
    method,
    path: pathname,
    query: searchParams,
    headers: { ...headers, authorization: outer.headers.authorization ?? '' },
    body: '',
  };
}

function withHeaders(answer: Answer, { headers }: Incoming): Answer {
  const requestId = randomUUID();
  return {
    ...answer,
    headers: {
      'request-id': requestId,
      'client-request-id': headers['client-request-id'] ?? requestId,
      'odata-version': '4.0',
      'cache-control': 'no-store',
      ...answer.headers,
    },
  };
}
