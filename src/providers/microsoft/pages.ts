/** Lists that come in pages, by whatever way. */
import { CalmcpError } from '../../core/errors.ts';

/** A list longer than this many pages is a loop. */
const MAX_PAGES = 1_000;

export interface Page<Row> {
  readonly value: readonly Row[];
  /** What the next page is asked for by: an address. */
  readonly next: string | undefined;
}

/** @throws CalmcpError BAD_RESPONSE for what is no list. @param host who answered, for people */
export function parsePage<Row>(body: unknown, host: string, account: string): Page<Row> {
  const { value, '@odata.nextLink': next } = (body ?? {}) as { value?: unknown; '@odata.nextLink'?: unknown };
  if (!Array.isArray(value)) throw new CalmcpError('BAD_RESPONSE', `${host} answered without a list`, { account });
  return { value, next: next === undefined || next === null ? undefined : String(next) };
}

/** All rows. @throws CalmcpError BAD_RESPONSE where the pages go round in a circle */
export async function readToEnd<Row>(
  first: Page<Row>,
  ask: (next: string) => Promise<Page<Row>>,
  host: string,
  account: string,
): Promise<Row[]> {
  const rows = [...first.value];
  const seen = new Set<string>();
  for (let { next } = first; next !== undefined; ) {
    if (seen.has(next) || seen.size >= MAX_PAGES)
      throw new CalmcpError('BAD_RESPONSE', `${host} keeps sending next pages without an end`, { account });
    seen.add(next);
    const page = await ask(next);
    for (const row of page.value) rows.push(row);
    next = page.next;
  }
  return rows;
}
