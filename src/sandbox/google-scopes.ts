const prefix = 'https://www.googleapis.com/auth/';

/** Who signs in, and nothing else: cannot be unticked. */
const identity = ['openid', `${prefix}userinfo.email`, `${prefix}userinfo.profile`];

/** What a client may ask the sandbox for. https://developers.google.com/workspace/calendar/api/auth */
const calendar = [
  'calendar',
  'calendar.readonly',
  'calendar.events',
  'calendar.events.readonly',
  'calendar.events.owned',
  'calendar.events.owned.readonly',
  'calendar.events.public.readonly',
  'calendar.events.freebusy',
  'calendar.freebusy',
  'calendar.calendarlist',
  'calendar.calendarlist.readonly',
  'calendar.calendars',
  'calendar.calendars.readonly',
  'calendar.settings.readonly',
  'calendar.acls',
  'calendar.acls.readonly',
  'calendar.app.created',
].map((name) => prefix + name);

/** Which scopes a method asks for; one is enough. */
const readEvents =
  'calendar.readonly calendar calendar.events calendar.events.readonly calendar.events.owned calendar.events.owned.readonly calendar.events.public.readonly';
const writeEvents = 'calendar calendar.events calendar.events.owned';

export const scopesFor = {
  'calendar.v3.CalendarList.List': scopes(
    'calendar.readonly calendar calendar.calendarlist calendar.calendarlist.readonly',
  ),
  'calendar.v3.CalendarList.Get': scopes(
    'calendar.readonly calendar calendar.calendarlist calendar.calendarlist.readonly',
  ),
  'calendar.v3.Calendars.Get': scopes('calendar.readonly calendar calendar.calendars calendar.calendars.readonly'),
  // Whatever may see a calendar or its events may see its colours.
  'calendar.v3.Colors.Get': scopes(`${readEvents} calendar.calendarlist calendar.calendarlist.readonly`),
  'calendar.v3.Settings.Get': scopes('calendar.readonly calendar calendar.settings.readonly'),
  'calendar.v3.Settings.List': scopes('calendar.readonly calendar calendar.settings.readonly'),
  'calendar.v3.Events.List': scopes(readEvents),
  'calendar.v3.Events.Get': scopes(readEvents),
  'calendar.v3.Events.Instances': scopes(readEvents),
  'calendar.v3.Events.Insert': scopes(writeEvents),
  'calendar.v3.Events.Patch': scopes(writeEvents),
  'calendar.v3.Events.Update': scopes(writeEvents),
  'calendar.v3.Events.Delete': scopes(writeEvents),
  'calendar.v3.Freebusy.Query': scopes('calendar.readonly calendar calendar.freebusy calendar.events.freebusy'),
} as const;

export type GoogleMethod = keyof typeof scopesFor;

/** In the spelling that answers have: `email` and `profile` are short for longer names. */
export function parseGoogleScopes(text: string): string[] {
  const names = text.split(/\s+/).filter((scope) => scope !== '');
  return [
    ...new Set(names.map((name) => (name === 'email' || name === 'profile' ? `${prefix}userinfo.${name}` : name))),
  ];
}

export function isKnownScope(scope: string): boolean {
  return identity.includes(scope) || calendar.includes(scope);
}

export function isIdentityScope(scope: string): boolean {
  return identity.includes(scope);
}

export function hasEmailScope(granted: readonly string[]): boolean {
  return granted.includes(`${prefix}userinfo.email`);
}

export function hasProfileScope(granted: readonly string[]): boolean {
  return granted.includes(`${prefix}userinfo.profile`);
}

/** Whether events of a calendar may be read that is one's own, public, or neither. */
export function coversEvents(granted: readonly string[], which: { readonly owned: boolean; readonly open: boolean }) {
  const has = (...names: string[]) => names.some((name) => granted.includes(prefix + name));
  if (has('calendar', 'calendar.readonly', 'calendar.events', 'calendar.events.readonly')) return true;
  if (which.owned && has('calendar.events.owned', 'calendar.events.owned.readonly')) return true;
  return which.open && has('calendar.events.public.readonly');
}

/** Whether events may be changed of a calendar that is one's own, or not. */
export function coversWriting(granted: readonly string[], which: { readonly owned: boolean }): boolean {
  const has = (...names: string[]) => names.some((name) => granted.includes(prefix + name));
  return has('calendar', 'calendar.events') || (which.owned && has('calendar.events.owned'));
}

function scopes(names: string): readonly string[] {
  return names.split(' ').map((name) => prefix + name);
}
