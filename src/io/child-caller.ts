/** Questions to a child server with all that goes with a request: the token, the account's budgets, another attempt. */

import type { Patience } from '../core/budget.ts';
import type { ChildAnswer, ChildServer } from '../core/child.ts';
import { CalmcpError } from '../core/errors.ts';
import type { Call } from '../core/provider.ts';
import { type RequestTokens, sendWithToken } from './access-tokens.ts';
import { createLimiter } from './limiter.ts';

export interface ChildCallerOptions {
  /** The account's. */
  readonly patience: Patience;
  readonly child: ChildServer;
  /** One call at a time, whatever the account may do. */
  readonly oneByOne?: boolean;
  readonly tokens: RequestTokens;
  /**
   * What an answer says. A refusal of the vendor's that is worth another attempt is an error with `{ status }` as its
   * cause.
   * @param verb whether the tool that said it only reads
   * @throws CalmcpError
   */
  readonly read: (answer: ChildAnswer, verb: 'read' | 'write') => unknown;
  /** The vendor's refusal in the provider's words. */
  readonly explain: (error: CalmcpError) => CalmcpError;
}

/** How messages call what is asked. */
const HOST = 'its child server';

const statusOf = ({ cause }: CalmcpError): unknown => (cause as { readonly status?: unknown } | undefined)?.status;

type Ask = (tool: string, input: Readonly<Record<string, unknown>>, call: Call) => Promise<unknown>;

export interface ChildCaller {
  /** What a tool that only reads says about `input`. @throws CalmcpError */
  readonly read: Ask;
  /**
   * What a tool that changes something says. It is made again only where the vendor refused it (too many requests, a token that
   * is no good any more).
   * @throws CalmcpError
   */
  readonly write: Ask;
}

export function createChildCaller(options: ChildCallerOptions): ChildCaller {
  const { patience, child, oneByOne = false, tokens, read, explain } = options;
  const limiter = oneByOne ? createLimiter(1) : undefined;
  // The vendor's failures alone: the child's own ones are its supervisor's to deal with.
  const isWorthIt = (error: CalmcpError): boolean => typeof statusOf(error) === 'number';

  const watched: RequestTokens = {
    ...tokens,
    async get(rejected) {
      try {
        return await tokens.get(rejected);
      } catch (thrown) {
        if (thrown instanceof CalmcpError && thrown.code === 'AUTH_REQUIRED') child.needsLogin(thrown);
        throw thrown;
      }
    },
  };

  const asking =
    (verb: 'read' | 'write'): Ask =>
    async (tool, input, call) => {
      const isRead = verb === 'read';
      const ask = (token: string): Promise<unknown> =>
        patience.run(HOST, { isRead, isRepeatable: isRead, isWorthIt }, call, async () =>
          read(await child[verb](tool, input, call, token), verb),
        );
      const attempt = (token: string): Promise<unknown> =>
        limiter?.run(1, call.signal, () => ask(token), call.background) ?? ask(token);
      try {
        return await sendWithToken(watched, attempt, explain);
      } catch (thrown) {
        call.signal.throwIfAborted();
        throw thrown instanceof CalmcpError && thrown.account === undefined ? explain(thrown) : thrown;
      }
    };
  return { read: asking('read'), write: asking('write') };
}
