import { randomBytes } from 'node:crypto';
import { googleError } from './google-refusal.ts';
import { type Answer, type Incoming, Refusal } from './http.ts';

export const batchPath = '/google/batch/calendar/v3';

/** One call of a batch. */
export interface BatchCall {
  /** As the client sent it, with its brackets. */
  readonly contentId: string;
  readonly incoming: Incoming;
}

const maximumCalls = 50;

/**
 * The calls of a batch: `multipart/mixed` of `application/http`, all of the Calendar API.
 * https://developers.google.com/workspace/calendar/api/guides/batch
 * @throws the 400 for a batch that is none
 */
export function parseGoogleBatch(outer: Incoming): BatchCall[] {
  const type = outer.headers['content-type'] ?? '';
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type);
  if (!/^multipart\/mixed\s*;/i.test(type) || boundary === null)
    throw badBatch('Failed to parse batch request, error: Content-Type must be multipart/mixed with a boundary.');
  const parts = partsOf(outer.body, boundary[1] ?? boundary[2] ?? '');
  if (parts.length === 0) {
    const size = Buffer.byteLength(outer.body);
    throw badBatch(`Failed to parse batch request, error: 0 items. Received batch body: (${size}) bytes redacted`);
  }
  if (parts.length > maximumCalls)
    throw badBatch(`The batch has ${parts.length} calls, and may not have more than ${maximumCalls}.`);
  const calls = parts.map((part) => callOf(part, outer));
  // Google wants them to be there and to differ since 2021: https://github.com/googleapis/google-api-dotnet-client/issues/1969
  const ids = calls.map(({ contentId }) => contentId);
  const duplicate = ids.find((id, index) => ids.indexOf(id) !== index);
  if (duplicate !== undefined) throw badBatch(`Duplicate Request ID in Batch Request: ${duplicate}`);
  return calls;
}

/**
 * The answers as one. Google promises them in the order of the calls; here they come in another one, so that a client has
 * to look at the ids.
 */
export function answerOfBatch(answers: readonly (readonly [BatchCall, Answer])[]): Answer {
  const boundary = `batch_${randomBytes(16).toString('base64url')}`;
  const parts = answers.map(([{ contentId }, { status, headers, body }]) => {
    const all = { 'Content-Type': 'application/json; charset=UTF-8', Vary: 'Origin', ...headers };
    return [
      `--${boundary}`,
      'Content-Type: application/http',
      `Content-ID: ${contentId.replace(/^<?/, (bracket) => `${bracket}response-`)}`,
      '',
      `HTTP/1.1 ${status} ${status < 300 ? 'OK' : 'Not OK'}`,
      ...Object.entries(all).map(([name, value]) => `${name}: ${value}`),
      '',
      // As Google writes it: pretty, over several lines.
      typeof body === 'string' ? body : JSON.stringify(body, null, 1),
      '',
    ].join('\r\n');
  });
  const body = `${parts.reverse().join('')}--${boundary}--\r\n`;
  return { status: 200, headers: { 'content-type': `multipart/mixed; boundary=${boundary}` }, body };
}

function partsOf(body: string, boundary: string): string[] {
  const pieces = `\r\n${body.replace(/\r?\n/g, '\r\n')}`.split(`\r\n--${boundary}`);
  const end = pieces.findIndex((piece, index) => index > 0 && piece.startsWith('--'));
  if (end < 0) return [];
  return pieces.slice(1, end).map((piece) => piece.replace(/^[ \t]*\r\n/, ''));
}

/** Headers to an empty line, and what comes after it. */
function splitHead(text: string): { readonly lines: readonly string[]; readonly rest: string } {
  const end = text.indexOf('\r\n\r\n');
  return { lines: (end < 0 ? text : text.slice(0, end)).split('\r\n'), rest: end < 0 ? '' : text.slice(end + 4) };
}

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name.toLowerCase(), value ?? '']];
    }),
  );
}

function callOf(part: string, outer: Incoming): BatchCall {
  const head = splitHead(part);
  const own = headersOf(head.lines);
  if (!/^application\/http\b/i.test(own['content-type'] ?? ''))
    throw badBatch('Failed to parse batch request, error: each part has to be application/http.');
  const { lines, rest } = splitHead(head.rest);
  const [, method, target] = /^([A-Z]+) (\S+)(?: HTTP\/1\.[01])?$/.exec(lines[0] ?? '') ?? [];
  if (method === undefined || target === undefined)
    throw badBatch('Failed to parse batch request, error: a part without a request line.');
  // "This HTTP request must only contain the path portion of the URL; full URLs are not allowed in batch requests."
  if (!target.startsWith('/') || target.startsWith('//'))
    throw badBatch('Failed to parse batch request, error: full URLs are not allowed in batch requests.');
  const { pathname, searchParams } = new URL(target, 'http://sandbox');
  if (!pathname.startsWith('/calendar/v3/'))
    throw badBatch('All calls of a batch have to be of the API that it is sent to, and none may be a batch.');
  // What the batch says in its headers holds for each call, but for what is about its own body.
  const shared = Object.entries(outer.headers).filter(([name]) => !name.startsWith('content-'));
  return {
    contentId: own['content-id'] ?? '',
    incoming: {
      ...outer,
      method,
      path: `/google${pathname}`,
      query: searchParams,
      headers: { ...Object.fromEntries(shared), ...headersOf(lines.slice(1)) },
      body: rest.trimEnd(),
    },
  };
}

/** The endpoint wraps its own refusals in a list, unlike the API behind it. */
function badBatch(message: string): Refusal {
  const body = [googleError(400, message, { reason: 'badRequest' }, { status: 'INVALID_ARGUMENT' })];
  return new Refusal({ status: 400, headers: {}, body });
}
