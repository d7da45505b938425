import { randomUUID } from 'node:crypto';
import { Refusal } from './http.ts';

/** A refusal in Graph's shape. https://learn.microsoft.com/graph/errors */
export function graphRefusal(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, unknown>> = {},
): Refusal {
  const requestId = randomUUID();
  const innerError = {
    date: new Date().toISOString().slice(0, 19),
    'request-id': requestId,
    'client-request-id': requestId,
  };
  return new Refusal({ status, headers, body: { error: { code, message, innerError, ...more } } });
}

export function itemNotFound(): Refusal {
  return graphRefusal(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
}
