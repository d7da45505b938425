/** How an accounts.yaml of a sandbox begins: one that may be written over. */
export const SANDBOX_MARK = '# calmcp sandbox at';

/** accounts.yaml for the sandbox: two tenants that share one client id, a third tenant, and a feed. {@link googleAccount} adds Google. */
export function sandboxAccounts(origin: string): string {
  return `${SANDBOX_MARK} ${origin}
version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  xebia:
    provider: microsoft
    displayName: Xebia
    clientId: 11111111-1111-1111-1111-111111111111
    tenantId: 22222222-2222-2222-2222-222222222222
    username: you@xebia.example
    cloud: { authority: "${origin}", graph: "${origin}" }
    calendars: { exclude: [Birthdays] }
  marimer: # the same client id in another tenant
    provider: microsoft
    displayName: Marimer
    clientId: 11111111-1111-1111-1111-111111111111
    tenantId: 33333333-3333-3333-3333-333333333333
    username: you@marimer.example
    cloud: { authority: "${origin}", graph: "${origin}" }
  northwind:
    provider: microsoft
    displayName: Northwind
    clientId: 55555555-5555-5555-5555-555555555555
    tenantId: 44444444-4444-4444-4444-444444444444
    username: you@northwind.example
    access: write # the others are only read
    cloud: { authority: "${origin}", graph: "${origin}" }
  community: # a feed: no sign-in
    provider: ics
    url: ${origin}/feeds/community.ics
`;
}

/** A Google account of the sandbox, to go below {@link sandboxAccounts}. */
export function googleAccount(origin: string): string {
  const base = `${origin}/google`;
  return `  home:
    provider: google
    displayName: Home
    clientId: 222222222222-home.apps.googleusercontent.com
    clientSecret: GOCSPX-sandbox-home # of the sandbox, so no secret
    username: you@home.example
    endpoints: { authorization: "${base}/o/oauth2/v2/auth", token: "${base}/token", revocation: "${base}/revoke", calendar: "${base}" }
`;
}
