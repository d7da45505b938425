import { type Answer, escapeHtml, html, Refusal } from './http.ts';

export interface GoogleErrorDetail {
  readonly reason: string;
  readonly message?: string;
  readonly domain?: string;
  readonly location?: string;
  readonly locationType?: 'parameter' | 'header';
}

/** https://developers.google.com/workspace/calendar/api/guides/errors */
export function googleError(code: number, message: string, detail: GoogleErrorDetail, more: object = {}): object {
  const { domain = 'global', reason, ...rest } = detail;
  return { error: { code, message, errors: [{ message, domain, reason, ...rest }], ...more } };
}

export function googleRefusal(
  status: number,
  message: string,
  detail: GoogleErrorDetail,
  options: { headers?: Record<string, string>; more?: object } = {},
): Refusal {
  const body = googleError(status, message, detail, options.more);
  return new Refusal({ status, headers: options.headers ?? {}, body });
}

/** A query parameter that will not do. */
export function badParameter(location: string, message: string, reason = 'invalidParameter'): Refusal {
  return googleRefusal(400, message, { reason, location, locationType: 'parameter' });
}

/** A refusal of the token endpoint and its neighbours. https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
export function oauthRefusal(status: number, error: string, description: string): Refusal {
  return new Refusal({ status, headers: {}, body: { error, error_description: description } });
}

/** What the person sees when Google does not send the browser back. */
export function errorPage(status: number, error: string, description: string): Answer {
  return html(
    `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Error ${status}: ${error}</title></head>
<body><main><h1>Access blocked: authorization error</h1><p>${escapeHtml(description)}</p><p>Error ${status}: ${error}</p></main></body></html>
`,
    status,
  );
}

function fault(status: number, message: string, reason: string, options: { domain?: string; more?: object } = {}) {
  const { domain = 'usageLimits', more = {} } = options;
  return { status, body: JSON.stringify(googleError(status, message, { domain, reason }, more)) };
}

/**
 * What Google says when it will not, to be spread into `sandbox.fail({ match, ...googleFaults.quotaExceeded })`.
 * None of them has a Retry-After: Google's documentation promises none.
 */
export const googleFaults = {
  authError: {
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
    body: JSON.stringify(
      googleError(401, 'Invalid Credentials', {
        reason: 'authError',
        location: 'Authorization',
        locationType: 'header',
      }),
    ),
  },
  rateLimitExceeded: fault(403, 'Rate Limit Exceeded', 'rateLimitExceeded'),
  userRateLimitExceeded: fault(403, 'User Rate Limit Exceeded', 'userRateLimitExceeded'),
  /** The account is over a limit of Calendar itself, for hours or more: asking again does not help. */
  quotaExceeded: fault(403, 'Calendar usage limits exceeded.', 'quotaExceeded'),
  dailyLimitExceeded: fault(403, 'Daily Limit Exceeded', 'dailyLimitExceeded'),
  tooManyRequests: fault(429, 'Rate Limit Exceeded', 'rateLimitExceeded', { more: { status: 'RESOURCE_EXHAUSTED' } }),
  fullSyncRequired: fault(410, 'Sync token is no longer valid, a full sync is required.', 'fullSyncRequired', {
    domain: 'calendar',
  }),
  internalError: fault(500, 'Backend Error', 'backendError', { domain: 'global' }),
  backendError: fault(503, 'Backend Error', 'backendError', { domain: 'global', more: { status: 'UNAVAILABLE' } }),
  /** Of the token endpoint: what a dead refresh token gets. */
  invalidGrant: {
    status: 400,
    body: JSON.stringify({ error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }),
  },
} as const;
