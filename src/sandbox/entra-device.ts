import type { Application } from './data.ts';
import type { Authority, EntraContext } from './entra-context.ts';
import { entraPage, showEntraPage } from './entra-page.ts';
import { entraRefusal } from './entra-refusal.ts';
import { randomToken, randomUserCode } from './grants.ts';
import { type Answer, escapeHtml, html, type Incoming, json } from './http.ts';
import { parseScopes } from './scopes.ts';

const expiresInSeconds = 900;

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code#device-authorization-request */
export function startDeviceCode({ origin, body }: Incoming, authority: Authority, context: EntraContext): Answer {
  const form = new URLSearchParams(body);
  const clientId = form.get('client_id') ?? '';
  findApplication(clientId, authority, context);
  const scopes = parseScopes(form.get('scope') ?? '');
  if (scopes.length === 0) {
    throw entraRefusal('invalid_request', 900144, "The request body must contain the following parameter: 'scope'.", {
      now: context.now(),
    });
  }
  const code = randomToken('0.DEV');
  const userCode = randomUserCode();
  context.grants.deviceCodes.set(code, {
    userCode,
    tenant: authority.id,
    clientId,
    scopes,
    expiresAt: context.now() + expiresInSeconds * 1000,
    redeemed: false,
  });
  const page = `${origin}/devicelogin`;
  return json({
    user_code: userCode,
    device_code: code,
    verification_uri: page,
    expires_in: expiresInSeconds,
    interval: context.deviceCodeIntervalSeconds,
    message: `To sign in, use a web browser to open the page ${page} and enter the code ${userCode} to authenticate.`,
  });
}

/** @throws the refusal that Entra ID gives for an application that this tenant does not know */
export function findApplication(
  clientId: string,
  { id, asked, tenant }: Authority,
  context: EntraContext,
): Application {
  const found = context.data.applications.find(
    (application) => application.clientId === clientId && (tenant === undefined || application.tenants.includes(id)),
  );
  if (found === undefined) {
    throw entraRefusal(
      'unauthorized_client',
      700016,
      `Application with identifier '${clientId}' was not found in the directory '${tenant?.name ?? asked}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.`,
      { now: context.now() },
    );
  }
  return found;
}

/**
 * What a person does on the device-code page.
 * @throws Error with a sentence for that person
 */
export function approve(typedCode: string, username: string, { data, grants, now }: EntraContext): void {
  const userCode = typedCode.trim().toUpperCase();
  const device = [...grants.deviceCodes.values()].find((each) => each.userCode === userCode);
  if (device === undefined || device.redeemed) throw new Error('That code did not work. Check the code and try again.');
  if (device.expiresAt <= now()) throw new Error('That code has expired. Go back to your app for a new one.');
  const user = data.users.find((each) => each.username === username);
  if (user === undefined) throw new Error(`We could not find an account with the username ${username}.`);
  const tenant = data.tenants.find(({ id }) => id === device.tenant);
  if (tenant !== undefined && user.tenant !== tenant.id) {
    throw new Error(
      `AADSTS50020: The account ${username} does not exist in the tenant ${tenant.name} and cannot sign in to the application there.`,
    );
  }
  const allowed = data.applications.some(
    (each) => each.clientId === device.clientId && each.tenants.includes(user.tenant),
  );
  if (!allowed) throw new Error(`AADSTS700016: The tenant of ${username} does not know this application.`);
  device.user = user;
}

export function showDevicePage({ query }: Incoming, context: EntraContext): Answer {
  return html(devicePage(context, query.get('code') ?? '', ''));
}

export function submitDevicePage({ body }: Incoming, context: EntraContext): Answer {
  const form = new URLSearchParams(body);
  const code = form.get('code') ?? '';
  try {
    approve(code, form.get('username') ?? '', context);
  } catch (error) {
    return html(devicePage(context, code, error instanceof Error ? error.message : String(error)), 400);
  }
  return showEntraPage('<h1>You are signed in</h1><p>You can close this page and go back to your app.</p>');
}

function devicePage({ data }: EntraContext, code: string, problem: string): string {
  const people = data.users.map(
    ({ username, displayName }, index) =>
      `<p><label><input type="radio" name="username" value="${escapeHtml(username)}"${index === 0 ? ' checked' : ''}> ${escapeHtml(displayName)}, ${escapeHtml(username)}</label></p>`,
  );
  return entraPage(`<h1>Enter the code that your app shows</h1>
${problem === '' ? '' : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>`}
<form method="post" action="/devicelogin">
<p><label>Code <input name="code" value="${escapeHtml(code)}" autocomplete="off" autofocus required></label></p>
<fieldset><legend>Who signs in?</legend>
${people.join('\n')}
</fieldset>
<p><button>Sign in</button></p>
</form>`);
}
