import { graphRefusal } from './graph-refusal.ts';

export interface QueryRules {
  /** As in `microsoft.graph.event`. */
  readonly type: 'event' | 'calendar';
  readonly properties: readonly string[];
  readonly options: readonly ('$top' | '$skip' | '$select' | '$orderby' | '$count')[];
  readonly maximumTop?: number;
}

export interface Query {
  readonly top: number | undefined;
  readonly skip: number;
  readonly select: readonly string[] | undefined;
  readonly orderBy: { readonly property: 'start' | 'end'; readonly descending: boolean } | undefined;
  readonly count: boolean;
}

/** https://learn.microsoft.com/graph/query-parameters; what it does not know it refuses. */
export function parseQuery(query: URLSearchParams, rules: QueryRules): Query {
  for (const name of query.keys()) {
    if (name.startsWith('$') && !rules.options.some((option) => option === name)) {
      throw graphRefusal(400, 'BadRequest', `The query option '${name}' is not supported here (by the sandbox).`);
    }
    if (name.startsWith('$') && query.getAll(name).length > 1) {
      throw graphRefusal(
        400,
        'BadRequest',
        `Query option '${name}' was specified more than once, but it must be specified at most once.`,
      );
    }
  }
  return {
    top: parseTop(query.get('$top'), rules.maximumTop ?? 1000),
    skip: parseSkip(query.get('$skip')),
    select: parseSelect(query.get('$select'), rules),
    orderBy: parseOrderBy(query.get('$orderby')),
    count: parseCount(query.get('$count')),
  };
}

function parseTop(text: string | null, maximum: number): number | undefined {
  if (text === null) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > maximum) {
    throw graphRefusal(
      400,
      'ErrorInvalidParameter',
      `The value '${text}' of the query option $top is invalid: it must be an integer between 1 and ${maximum}.`,
    );
  }
  return value;
}

function parseSkip(text: string | null): number {
  if (text === null) return 0;
  if (!/^\d+$/.test(text)) {
    throw graphRefusal(400, 'ErrorInvalidParameter', `Invalid value '${text}' for $skip query option found.`);
  }
  return Number(text);
}

function parseSelect(text: string | null, { type, properties }: QueryRules): readonly string[] | undefined {
  if (text === null) return undefined;
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !properties.includes(name));
  if (unknown !== undefined) {
    throw graphRefusal(
      400,
      'RequestBroker--ParseUri',
      `Parsing OData Select and Expand failed: Could not find a property named '${unknown}' on type 'microsoft.graph.${type}'.`,
    );
  }
  return names;
}

function parseOrderBy(text: string | null): Query['orderBy'] {
  if (text === null) return undefined;
  const match = /^(start|end)\/dateTime(?: (asc|desc))?$/i.exec(text.trim());
  if (match === null) {
    throw graphRefusal(
      400,
      'ErrorInvalidParameter',
      `The sandbox cannot order by '${text}', only by start/dateTime or end/dateTime.`,
    );
  }
  return {
    property: match[1]?.toLowerCase() === 'end' ? 'end' : 'start',
    descending: match[2]?.toLowerCase() === 'desc',
  };
}

function parseCount(text: string | null): boolean {
  if (text === null || text === 'false') return false;
  if (text === 'true') return true;
  throw graphRefusal(400, 'BadRequest', `Invalid value '${text}' for $count query option found.`);
}
