import type { SandboxEvent } from './data.ts';
import type { Preferences } from './graph-prefer.ts';
import type { Query } from './graph-query.ts';
import { extentOf } from './graph-window.ts';
import { type Answer, type Incoming, json } from './http.ts';

interface Asked {
  readonly incoming: Incoming;
  readonly preferences: Preferences;
}

/** Without $orderby the service promises no order, and was seen to give the last ones first: microsoft-graph-docs#6201. */
export function sorted(events: readonly SandboxEvent[], { orderBy }: Query): SandboxEvent[] {
  const property = orderBy?.property ?? 'start';
  const direction = orderBy?.descending === false ? 1 : -1;
  return events
    .map((event) => ({ event, at: extentOf(event)[property] }))
    .sort((one, other) => direction * (one.at - other.at))
    .map(({ event }) => event);
}

/** https://learn.microsoft.com/graph/paging: ten to a page unless asked otherwise. */
export function pageOf<Item>(
  items: readonly Item[],
  query: Query,
  { incoming, preferences }: Asked,
  name: string,
  render: (item: Item) => unknown,
): Answer {
  const size = query.top ?? preferences.pageSize ?? 10;
  const until = query.skip + size;
  const next = new URLSearchParams(incoming.query);
  next.set('$skip', String(until));
  return json({
    '@odata.context': context(incoming, `users('me')/${name}`),
    ...(query.count ? { '@odata.count': items.length } : {}),
    value: items.slice(query.skip, until).map(render),
    ...(until < items.length ? { '@odata.nextLink': `${incoming.origin}${incoming.path}?${next}` } : {}),
  });
}

export function context({ origin }: Incoming, what: string): string {
  return `${origin}/v1.0/$metadata#${what}`;
}
