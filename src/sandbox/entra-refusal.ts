import { randomUUID } from 'node:crypto';
import { Refusal } from './http.ts';

/**
 * A refusal in the shape of the token endpoint.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
export function entraRefusal(
  error: string,
  number: number,
  message: string,
  options: { now: number; status?: number; suberror?: string },
): Refusal {
  const traceId = randomUUID();
  const correlationId = randomUUID();
  const timestamp = new Date(options.now)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
  return new Refusal({
    status: options.status ?? 400,
    headers: {},
    body: {
      error,
      error_description: `AADSTS${number}: ${message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [number],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      ...(options.suberror === undefined ? {} : { suberror: options.suberror }),
    },
  });
}
