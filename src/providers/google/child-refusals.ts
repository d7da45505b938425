/** What the child server's words mean. */
import type { ChildAnswer } from '../../core/child.ts';
import { CalmcpError } from '../../core/errors.ts';
import { NOT_KNOWN, type Refusal, refusalOf } from './refusals.ts';

type Verb = 'read' | 'write';

interface Saying extends Refusal {
  readonly says: RegExp;
  /** Of tools that only read, or of the others; without it of all. */
  readonly of?: Verb;
  /** Google's, where that decides what is done next: 401 gets another token, a number at all another attempt. */
  readonly status?: number;
}

/** What Google said of a change, by its status and reason. */
function ofChange(says: RegExp, status: number, reason?: string): Saying {
  const refusal = refusalOf(status, reason, 'change');
  if (refusal === undefined) throw new TypeError(`no words for ${status}`);
  return { says, of: 'write', status, ...refusal };
}

/**
 * What the server makes of Google's answers: handleGoogleApiError in 2.6.3. It has no numbers, only these words, and they
 * may be followed by names of calendars: so they count at the beginning alone. What it asks again by itself (429 and 5xx, three
 * times) is not asked again here. update-event forgets to wait for its last step, so what Google says of that comes as it is,
 * without the words before it.
 */
const SAYINGS: readonly Saying[] = [
  {
    says: /^(?:(?:Google API error: )?(?:Invalid Credentials|Request (?:had invalid|is missing required) authentication)|Authentication tokens? |Authentication required|Internal error: No refresh token|No authenticated accounts|Account "[^"]*" not found)/i,
    code: 'AUTH_REQUIRED',
    message: 'Google no longer accepts the sign-in',
    status: 401,
  },
  {
    says: /^Access denied: (?:User )?Rate Limit Exceeded/i,
    code: 'RATE_LIMITED',
    message: 'Google asks its child server to slow down',
    status: 403,
  },
  {
    // Of changes, which it sends once.
    says: /^(?:User )?Rate limit exceeded/i,
    of: 'write',
    code: 'RATE_LIMITED',
    message: 'Google asks its child server to slow down',
    status: 429,
  },
  { says: /^Rate limit exceeded/i, code: 'RATE_LIMITED', message: 'Google asks its child server to slow down' },
  {
    says: /^(?:Access denied: )?Calendar usage limits exceeded/i,
    code: 'FORBIDDEN',
    message: 'Google has limited the calendar use of this account',
    hint: 'wait: it may take hours; see Google’s calendar use limits',
  },
  {
    says: /^(?:Access denied: )?(?:Request had insufficient authentication scopes|Insufficient Permission)/i,
    code: 'FORBIDDEN',
    message: 'the sign-in does not cover what its child server asked for',
  },
  ofChange(/^(?:Access denied: )?You need to have writer access/i, 403, 'requiredAccessLevel'),
  ofChange(
    /^(?:Access denied: )?Shared properties can only be changed by the organizer/i,
    403,
    'forbiddenForNonOrganizer',
  ),
  ofChange(/^(?:Access denied|Forbidden)/i, 403),
  ofChange(/^(?:Resource not found|Not found)/i, 404),
  ofChange(/^Event ID '[^']*' already exists/i, 409),
  ofChange(/^(?:Google API error: )?Resource has been deleted/i, 410),
  ofChange(/^(?:Bad Request: )?The specified time range is empty/i, 400, 'timeRangeEmpty'),
  // The last two are its own: a value that it does not take.
  ofChange(/^(?:Bad Request|Invalid |Missing |Input validation error|\[)/i, 400),
  { says: /^Internal error: Event with ID /i, ...NOT_KNOWN },
  {
    says: /^Access denied/i,
    code: 'FORBIDDEN',
    message: 'Google does not allow this account to read this calendar',
  },
  {
    says: /^Resource not found/i,
    code: 'NOT_FOUND',
    message: 'Google does not know what its child server asked for',
  },
  { says: /^Bad Request/i, code: 'BAD_RESPONSE', message: 'Google refused what its child server asked' },
  {
    says: /^(?:Google API server error|Backend Error|Internal Error$)/i,
    code: 'UNAVAILABLE',
    message: 'Google is having trouble',
  },
  // It waits for three seconds and does not ask again.
  {
    says: /^(?:Google API|Internal) error: The operation was aborted/i,
    code: 'UNAVAILABLE',
    message: 'Google did not answer its child server in time',
    status: 0,
  },
];

/** @throws CalmcpError */
export function readText({ text, isError }: ChildAnswer, verb: Verb): unknown {
  if (isError) {
    const silence = verb === 'read' ? 'got no answer from Google' : 'did not say whether the change was made';
    const said = text.replace(/^MCP error -?\d+: /, '');
    const { code, message, status, hint } = SAYINGS.find(
      ({ says, of: only = verb }) => only === verb && says.test(said),
    ) ?? {
      code: 'UNAVAILABLE',
      message: `its child server ${silence}`,
      hint: 'see whether it can be reached from here: calmcp doctor --account <account>',
    };
    throw new CalmcpError(code, message, { hint, cause: { status, body: text } });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CalmcpError('BAD_RESPONSE', 'its child server answered with something instead of JSON', { cause });
  }
}
