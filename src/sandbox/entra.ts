import {
  authorizeEndpoint,
  consent,
  type EntraConsentOptions,
  loginEndpoint,
  showSignInPage,
  submitSignInPage,
} from './entra-authorize.ts';
import type { Authority, EntraContext } from './entra-context.ts';
import { showDevicePage, startDeviceCode, submitDevicePage } from './entra-device.ts';
import { entraRefusal } from './entra-refusal.ts';
import { redeem } from './entra-token.ts';
import { type Answer, type Incoming, json } from './http.ts';

/** Entra ID, as far as reading calendars needs it. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code */
export function answerEntra(incoming: Incoming, context: EntraContext): Answer {
  const { method, path } = incoming;
  if (path === '/devicelogin') {
    if (method === 'POST') return submitDevicePage(incoming, context);
    return method === 'GET' ? showDevicePage(incoming, context) : refuseMethod();
  }
  const [, asked = '', ...rest] = path.split('/').map(decodeURIComponent);
  const endpoint = rest.join('/');
  if (endpoint === 'discovery/instance') return instanceDiscovery(incoming);

  const expected = methods[endpoint];
  if (expected === undefined) return { status: 404, headers: {}, body: '' };
  if (method !== expected) return refuseMethod();
  if (endpoint === authorizeEndpoint) return showSignInPage(incoming, () => findAuthority(asked, context), context);
  if (endpoint === loginEndpoint) return submitSignInPage(incoming, () => findAuthority(asked, context), context);
  const authority = findAuthority(asked, context);
  if (endpoint === 'v2.0/.well-known/openid-configuration') return openIdConfiguration(incoming, authority);
  if (endpoint === 'discovery/v2.0/keys') return json({ keys: [] });
  if (endpoint === 'oauth2/v2.0/devicecode') return startDeviceCode(incoming, authority, context);
  return redeem(incoming, authority, context);
}

/**
 * What a person does in the browser that an app opened.
 * @returns where the browser is sent
 * @throws Error with what the browser shows when it is sent nowhere
 */
export function consentAtEntra(
  url: string,
  username: string,
  options: EntraConsentOptions,
  context: EntraContext,
): string {
  const { pathname, searchParams } = new URL(url);
  const [, asked = '', ...rest] = pathname.split('/').map(decodeURIComponent);
  if (rest.join('/') !== authorizeEndpoint) throw new Error(`${pathname} is not the authorization endpoint.`);
  return consent(searchParams, username, options, () => findAuthority(asked, context), context);
}

const methods: Readonly<Record<string, string>> = {
  'v2.0/.well-known/openid-configuration': 'GET',
  'discovery/v2.0/keys': 'GET',
  'oauth2/v2.0/devicecode': 'POST',
  'oauth2/v2.0/token': 'POST',
  [authorizeEndpoint]: 'GET',
  [loginEndpoint]: 'POST',
};

function refuseMethod(): Answer {
  return { status: 405, headers: {}, body: '' };
}

function findAuthority(asked: string, { data, now }: EntraContext): Authority {
  if (asked === 'common' || asked === 'organizations') return { id: asked, asked, tenant: undefined };
  const wanted = asked.toLowerCase();
  const tenant = data.tenants.find(({ id, domain }) => id === wanted || domain === wanted);
  if (tenant === undefined) {
    throw entraRefusal(
      'invalid_tenant',
      90002,
      `Tenant '${asked}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`,
      { now: now() },
    );
  }
  return { id: tenant.id, asked, tenant };
}

function openIdConfiguration({ origin }: Incoming, { asked, tenant }: Authority): Answer {
  const base = `${origin}/${asked}`;
  return json({
    token_endpoint: `${base}/oauth2/v2.0/token`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    // The aliases answer with a placeholder, not with a tenant.
    issuer: `${origin}/${tenant?.id ?? '{tenantid}'}/v2.0`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    request_uri_parameter_supported: false,
    http_logout_supported: true,
  });
}

function instanceDiscovery({ origin }: Incoming): Answer {
  const { host } = new URL(origin);
  return json({
    tenant_discovery_endpoint: `${origin}/common/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  });
}
