import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';

/** msal insists on https: it talks to https://127.0.0.1:PORT and this takes it to the same port over http. */
export function plainHttpNetwork(origin: string): INetworkModule {
  const secure = origin.replace('http:', 'https:');

  async function send<Body>(
    method: string,
    url: string,
    options?: NetworkRequestOptions,
  ): Promise<NetworkResponse<Body>> {
    const response = await fetch(url.replace(secure, origin), {
      method,
      headers: options?.headers ?? {},
      ...(method === 'POST' ? { body: options?.body ?? '' } : {}),
    });
    const text = (await response.text()).replaceAll(origin, secure);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: JSON.parse(text) as Body,
    };
  }

  return {
    sendGetRequestAsync: (url, options) => send('GET', url, options),
    sendPostRequestAsync: (url, options) => send('POST', url, options),
  };
}
