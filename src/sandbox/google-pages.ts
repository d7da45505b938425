import { createHash, randomBytes } from 'node:crypto';
import { badParameter, googleRefusal } from './google-refusal.ts';

/** One thing in a list, as it is answered without a field mask. */
export type Item = { readonly id: string } & Readonly<Record<string, unknown>>;

/** What a list looked like when its sync token was issued. */
interface SyncState {
  readonly list: string;
  /** Of the first request: a sync stays in its window for good. */
  readonly origin: URLSearchParams;
  readonly parameters: string;
  /** Id to what was answered for it. */
  readonly seen: ReadonlyMap<string, { readonly etag: string; readonly stub: Item }>;
}

interface PageState {
  readonly list: string;
  readonly parameters: string;
  readonly rest: readonly Item[];
  readonly sync: SyncState | undefined;
}

export interface ListRequest {
  /** Which collection, whose. */
  readonly list: string;
  readonly query: URLSearchParams;
  readonly pageSize: number;
  /** The parameters that a sync has to repeat. */
  readonly syncParameters: readonly string[];
  /** Whether an answer to this query can be the start of a sync. */
  readonly syncable: boolean;
  /** What matches now, in order; a sync looks through the window of the request that it began with. */
  readonly items: (origin: URLSearchParams) => readonly Item[];
  /** What is said of an item that is gone. */
  readonly stub: (item: Item) => Item;
}

export interface ListPage {
  readonly items: readonly Item[];
  readonly nextPageToken?: string;
  readonly nextSyncToken?: string;
}

export interface GooglePages {
  page(request: ListRequest): ListPage;
  expireSyncTokens(): void;
}

/** May change from page to page. */
const free = ['alt', 'fields', 'key', 'maxResults', 'pageToken', 'prettyPrint', 'quotaUser', 'syncToken', 'userIp'];

/**
 * Page tokens and sync tokens. A sync compares with what was seen when the token was issued, so that tests may change
 * the data as they like. https://developers.google.com/workspace/calendar/api/guides/sync
 */
export function createGooglePages(): GooglePages {
  const pages = new Map<string, PageState>();
  const syncs = new Map<string, SyncState>();

  return {
    page: (request) => {
      const token = request.query.get('pageToken');
      return give(token === null ? first(request) : continued(request, token), request);
    },
    expireSyncTokens: () => syncs.clear(),
  };

  function first(request: ListRequest): PageState {
    const { list, query, syncable, syncParameters } = request;
    const parameters = fingerprint(query, (name) => !free.includes(name));
    const syncToken = query.get('syncToken');
    const before = syncToken === null ? undefined : syncs.get(syncToken);
    if (syncToken !== null && before?.list !== list) throw fullSyncRequired();
    const same = fingerprint(query, (name) => syncParameters.includes(name));
    if (before !== undefined && before.parameters !== same) {
      throw badParameter(
        'syncToken',
        'A sync has to repeat the parameters of the first request (in the sandbox).',
        'invalid',
      );
    }
    const origin = before?.origin ?? query;
    const now = request.items(origin);
    const sync = syncable
      ? {
          list,
          origin,
          parameters: same,
          seen: new Map(now.map((item) => [item.id, { etag: etagOf(item), stub: request.stub(item) }])),
        }
      : undefined;
    if (before === undefined) return { list, parameters, rest: now, sync };
    const changed = now.filter((item) => before.seen.get(item.id)?.etag !== etagOf(item));
    const gone = [...before.seen].filter(([id]) => !now.some((item) => item.id === id)).map(([, { stub }]) => stub);
    return { list, parameters, rest: [...changed, ...gone], sync };
  }

  function continued({ list, query }: ListRequest, token: string): PageState {
    const state = pages.get(token);
    if (state === undefined || state.list !== list) {
      throw badParameter('pageToken', 'Invalid page token value.', 'invalid');
    }
    if (state.parameters !== fingerprint(query, (name) => !free.includes(name))) {
      throw badParameter('pageToken', 'The page token was issued for other parameters.', 'invalid');
    }
    return state;
  }

  function give(state: PageState, { pageSize }: ListRequest): ListPage {
    const items = state.rest.slice(0, pageSize);
    if (items.length < state.rest.length) {
      const nextPageToken = opaque('CigK');
      pages.set(nextPageToken, { ...state, rest: state.rest.slice(pageSize) });
      return { items, nextPageToken };
    }
    if (state.sync === undefined) return { items };
    const nextSyncToken = opaque('CP');
    syncs.set(nextSyncToken, state.sync);
    return { items, nextSyncToken };
  }
}

export function etagOf(value: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)}"`;
}

function fullSyncRequired() {
  return googleRefusal(410, 'Sync token is no longer valid, a full sync is required.', {
    domain: 'calendar',
    reason: 'fullSyncRequired',
    location: 'syncToken',
    locationType: 'parameter',
  });
}

function fingerprint(query: URLSearchParams, counts: (name: string) => boolean): string {
  return JSON.stringify([...query].filter(([name]) => counts(name)).sort());
}

function opaque(prefix: string): string {
  return `${prefix}${randomBytes(24).toString('base64url')}=`;
}
