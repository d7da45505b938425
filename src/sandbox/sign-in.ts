/** What `signIn` needs of a sandbox. */
interface SignInSandbox {
  readonly origin: string;
  approve(userCode: string, username: string): void;
}

export interface SignedIn {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idToken: string;
}

/** A person signs in with a device code, over HTTP: the short way to tokens for a test or a demo. */
export async function signIn(
  sandbox: SignInSandbox,
  options: { username: string; tenant: string; clientId: string; scope?: string },
): Promise<SignedIn> {
  const { username, tenant, clientId, scope = 'Calendars.Read User.Read openid profile offline_access' } = options;
  const endpoint = `${sandbox.origin}/${tenant}/oauth2/v2.0`;
  const device = await post(`${endpoint}/devicecode`, { client_id: clientId, scope });
  sandbox.approve(String(device.user_code), username);
  const tokens = await post(`${endpoint}/token`, {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: clientId,
    device_code: String(device.device_code),
  });
  return {
    accessToken: String(tokens.access_token),
    refreshToken: String(tokens.refresh_token ?? ''),
    idToken: String(tokens.id_token ?? ''),
  };
}

async function post(url: string, form: Record<string, string>): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(String(body.error_description));
  return body;
}
