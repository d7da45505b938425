/** How MSAL reaches Entra ID: through calmcp's own HTTP, and to a stand-in on this machine without TLS. */
import { AuthError, type INetworkModule, type NetworkRequestOptions, type NetworkResponse } from '@azure/msal-node';
import { CalmcpError } from '../../core/errors.ts';
import type { Call, Send } from '../../core/provider.ts';
import { type HttpFailure, openExchange, readJson } from '../../io/http.ts';

/**
 * Carries a CalmcpError through MSAL, which lets its own error class pass and replaces any other. (A subclass would not
 * do: its constructor resets the prototype.)
 */
function transportError(cause: CalmcpError): AuthError {
  return Object.assign(new AuthError('calmcp_transport', ''), { cause });
}

/** The CalmcpError inside what MSAL threw, if there is one. */
export function transportErrorOf(thrown: unknown): CalmcpError | undefined {
  const error = thrown instanceof AuthError ? thrown.cause : thrown;
  return error instanceof CalmcpError ? error : undefined;
}

export interface MsalNetwork extends INetworkModule {
  /** Why the service's own description could not be read, when that was the last thing that failed. */
  discoveryFailure(): CalmcpError | undefined;
  /** What the service said when it last refused: MSAL keeps the word of a refusal and drops its text. */
  lastRefusal(): string;
  /** An address that MSAL made, as it is outside of MSAL. */
  toPlain(url: string): string;
}

/**
 * @param plainOrigin where the stand-in listens (`http://127.0.0.1:4010`); MSAL takes https authorities only, so it is
 * told the same address with https and both ways are mapped here
 */
export function createMsalNetwork(
  fetch: (call: Call) => Send,
  closed: AbortSignal,
  plainOrigin: string | undefined,
): MsalNetwork {
  const secureOrigin = plainOrigin?.replace(/^http:/, 'https:');
  const toPlain = (url: string): string =>
    plainOrigin !== undefined && secureOrigin !== undefined && url.startsWith(`${secureOrigin}/`)
      ? plainOrigin + url.slice(secureOrigin.length)
      : url;
  const toSecure = (body: unknown): unknown =>
    plainOrigin === undefined || secureOrigin === undefined
      ? body
      : (JSON.parse(JSON.stringify(body).replaceAll(plainOrigin, secureOrigin)) as unknown);
  let discoveryFailed: CalmcpError | undefined;
  let refusal = '';

  async function send<T>(
    method: 'GET' | 'POST',
    url: string,
    options: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<T>> {
    const { host } = new URL(url);
    const init: RequestInit = {
      method,
      ...(options.headers === undefined ? {} : { headers: options.headers }),
      ...(options.body === undefined ? {} : { body: options.body }),
    };
    try {
      const response = await fetch(openExchange(closed))(toPlain(url), init);
      const body = readJson(response, host);
      const headers = Object.fromEntries(response.headers);
      return { status: response.status, headers, body: (method === 'GET' ? toSecure(body) : body) as T };
    } catch (thrown) {
      const answer = refusalOf<T>(thrown);
      if (answer !== undefined && method === 'POST') {
        const said = JSON.stringify(answer.body);
        // What every poll of a device code hears until the person is done is no refusal.
        if (!said.includes('authorization_pending')) refusal = said;
        return answer;
      }
      const error =
        thrown instanceof CalmcpError
          ? thrown
          : new CalmcpError('UNAVAILABLE', `${host} did not answer in time`, { cause: thrown });
      if (method === 'GET') discoveryFailed = error;
      throw transportError(error);
    }
  }

  return {
    sendGetRequestAsync: (url, options) => send('GET', url, options),
    sendPostRequestAsync: (url, options) => send('POST', url, options),
    discoveryFailure: () => discoveryFailed,
    lastRefusal: () => refusal,
    toPlain,
  };
}

/** An OAuth refusal is an answer that MSAL knows how to read, not a failure of the transport. */
function refusalOf<T>(thrown: unknown): NetworkResponse<T> | undefined {
  if (!(thrown instanceof CalmcpError)) return undefined;
  const failure = thrown.cause as Partial<HttpFailure> | undefined;
  if (failure?.status === undefined || failure.status >= 500 || failure.status === 429) return undefined;
  try {
    return {
      status: failure.status,
      headers: Object.fromEntries(failure.headers ?? []),
      body: JSON.parse(failure.body ?? '') as T,
    };
  } catch {
    return undefined;
  }
}
