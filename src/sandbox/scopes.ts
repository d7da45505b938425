/** Part of every OpenID answer, never of the permissions of an access token. */
const openId = ['openid', 'profile', 'email', 'offline_access'];

export function parseScopes(text: string): string[] {
  return text.split(/\s+/).filter((scope) => scope !== '');
}

/** `Calendars.Read` for `https://graph.microsoft.com/Calendars.Read`, in lower case. */
export function shortScope(scope: string): string {
  return scope.replace(/^https:\/\/graph\.microsoft\.com\/+/i, '').toLowerCase();
}

export function isPermission(scope: string): boolean {
  return !openId.includes(shortScope(scope));
}

/** Whether one of `wanted` (lower case; `calendars.read` covers `calendars.read.shared`) was granted. */
export function hasScope(granted: readonly string[], wanted: readonly string[]): boolean {
  return granted.some((scope) => wanted.some((one) => shortScope(scope).split('.').slice(0, 2).join('.') === one));
}

/** `.default` stands for what the application is registered for: here, reading. */
export function expandDefault(scopes: readonly string[]): string[] {
  return scopes.flatMap((scope) =>
    shortScope(scope) === '.default' ? ['Calendars.Read', 'User.Read', 'MailboxSettings.Read', scope] : [scope],
  );
}
