/**
 * Several questions to the Calendar API as one request, and the answers out of its answer. Pure.
 * @see https://developers.google.com/workspace/calendar/api/guides/batch
 */

/** Calls in one batch. */
export const MOST_CALLS = 50;

export const BATCH_PATH = '/batch/calendar/v3';

/** One answer out of many, an HTTP answer itself. */
export interface PartAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Addresses are percent-encoded, so no line of a part can look like it. */
const BOUNDARY = 'calmcp-batch';

const idOf = (place: number): string => `item-${place}`;

/** @param addresses what is asked for with GET: path and query, without the host, which Google refuses in a batch */
export function writeBatch(addresses: readonly string[]): { readonly contentType: string; readonly body: string } {
  const parts = addresses.map((address, place) => {
    if (!/^\/[!-~]*$/.test(address)) throw new TypeError('an address that is no path');
    return `--${BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: <${idOf(place)}>\r\n\r\nGET ${address} HTTP/1.1\r\n\r\n\r\n`;
  });
  return { contentType: `multipart/mixed; boundary=${BOUNDARY}`, body: `${parts.join('')}--${BOUNDARY}--\r\n` };
}

/**
 * What was answered to each of `count` calls, by their ids: their order is not relied on. A call that is not answered, or
 * answered twice, has no entry that could be mistaken for an answer.
 * @returns nothing where this is no answer to a batch at all
 */
export function readBatch(
  contentType: string | null,
  text: string,
  count: number,
): readonly (PartAnswer | undefined)[] | undefined {
  const boundary = boundaryIn(contentType ?? '');
  if (boundary === undefined) return undefined;
  const answers = new Map<string, PartAnswer | undefined>();
  for (const part of partsIn(text, boundary)) {
    const { id, answer } = readPart(part);
    if (id !== undefined) answers.set(id, answers.has(id) ? undefined : answer);
  }
  return Array.from({ length: count }, (_, place) => answers.get(idOf(place)));
}

function boundaryIn(contentType: string): string | undefined {
  if (!/^\s*multipart\/mixed\s*;/i.test(contentType)) return undefined;
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? [];
  return quoted ?? plain;
}

/** The text between the lines that start with the boundary (RFC 2046 5.1.1), without what comes before and after all. */
function partsIn(text: string, boundary: string): string[] {
  const escaped = boundary.replace(/[^\w]/g, '\\$&');
  const parts: string[] = [];
  let start: number | undefined;
  for (const { 0: line, 1: end, index } of text.matchAll(
    new RegExp(`(?:^|\\r?\\n)--${escaped}(--)?[ \\t]*(?=\\r?\\n|$)`, 'g'),
  )) {
    if (start !== undefined) parts.push(text.slice(start, index));
    start = index + line.length;
    if (end !== undefined) return parts;
  }
  // It is cut short. What is there of the last part tells itself whether it is all of it.
  if (start !== undefined) parts.push(text.slice(start));
  return parts;
}

/** Up to an empty line, and what follows. */
function splitHead(text: string): readonly [head: string, rest: string] {
  const empty = /\r?\n[ \t]*\r?\n/.exec(text);
  return empty === null ? [text, ''] : [text.slice(0, empty.index), text.slice(empty.index + empty[0].length)];
}

function headersIn(head: string): Headers {
  const headers = new Headers();
  for (const line of head.split(/\r?\n/)) {
    const [, name, value = ''] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    // Latin-1 without control characters: what else a header may hold says nothing to us.
    if (name !== undefined && /^[\t\x20-\x7e\xa0-\xff]*$/.test(value)) headers.append(name, value);
  }
  return headers;
}

function readPart(part: string): { readonly id: string | undefined; readonly answer: PartAnswer | undefined } {
  const [head, http] = splitHead(part);
  // `<response-item-1>`, with or without the brackets, or with a space before them.
  const [, id] = /^response-\s*<?([^<>\s]+)>?$/.exec((headersIn(head).get('content-id') ?? '').replace(/^</, '')) ?? [];
  const [lines, body] = splitHead(http.replace(/^\s+/, ''));
  const [, status] = /^HTTP\/\d(?:\.\d)? (\d{3})(?:\s|$)/.exec(lines) ?? [];
  const answer = status === undefined ? undefined : { status: Number(status), headers: headersIn(lines), body };
  return { id, answer };
}
