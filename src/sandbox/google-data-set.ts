import { Temporal } from 'temporal-polyfill';
import {
  googleCalendar,
  googleEvent,
  googleSeries,
  googleUser,
  manyGoogleEvents,
  sharedGoogleClient,
} from './google-build.ts';
import type { GoogleCalendar, GoogleClient, GoogleData, GooglePerson } from './google-data.ts';
import { outlookUid } from './opaque.ts';

export const homeGoogleClient: GoogleClient = {
  clientId: '222222222222-home.apps.googleusercontent.com',
  clientSecret: 'GOCSPX-sandbox-home',
  name: 'calmcp at home',
};

/** Of the workspace, for its own people alone. */
export const harborGoogleClient: GoogleClient = {
  clientId: '333333333333-harbor.apps.googleusercontent.com',
  clientSecret: 'GOCSPX-sandbox-harbor',
  name: 'calmcp at Harbor',
  internalTo: 'harbor.example',
};

export const deletedGoogleClient: GoogleClient = {
  clientId: '444444444444-gone.apps.googleusercontent.com',
  clientSecret: 'GOCSPX-sandbox-gone',
  name: 'calmcp, the old one',
  deleted: true,
};

export const googleCalendarIds = {
  home: 'you@home.example',
  family: 'c_4f1a3b7d9e2c@group.calendar.google.com',
  holidays: 'en.dutch#holiday@group.v.calendar.google.com',
  club: 'c_0c1u8a5e6d3b@group.calendar.google.com',
  recipes: 'c_9d2e7f0a1b4c@group.calendar.google.com',
  harbor: 'you@harbor.example',
  colleague: 'colleague@harbor.example',
} as const;

type Day = (offset: number) => string;

const partner: GooglePerson = { email: 'partner@home.example', displayName: 'Partner' };
const neighbour: GooglePerson = { email: 'neighbour@street.example', displayName: 'Neighbour' };
const colleague: GooglePerson = { email: 'colleague@harbor.example', displayName: 'Colleague' };
const harborLead: GooglePerson = { email: 'lead@harbor.example', displayName: 'Harbor lead' };
const youAtXebia: GooglePerson = { email: 'you@xebia.example', displayName: 'You' };

/**
 * The same two weeks as `createDataSet`, in the consultant's Google calendars: a personal account and one in a
 * client's workspace. The steering committee is the one that is in the Microsoft mailboxes too.
 * @param weekOf the Monday they start on, YYYY-MM-DD
 */
export function createGoogleDataSet(weekOf: string): GoogleData {
  const monday = Temporal.PlainDate.from(weekOf);
  if (monday.dayOfWeek !== 1) throw new RangeError(`${weekOf} is not a Monday`);
  const day = (offset: number) => monday.add({ days: offset }).toString();
  const { home, family, holidays, club, recipes, harbor, colleague: colleagueId } = googleCalendarIds;

  return {
    clients: [sharedGoogleClient, homeGoogleClient, harborGoogleClient, deletedGoogleClient],
    users: [
      googleUser(1, home, [
        { calendarId: home, selected: true, defaultReminders: [{ method: 'popup', minutes: 30 }] },
        { calendarId: family, selected: true, summaryOverride: 'Family & friends', backgroundColor: '#16a765' },
        { calendarId: holidays, selected: true, backgroundColor: '#42d692' },
        { calendarId: colleagueId, selected: true },
        { calendarId: club, selected: true, hidden: true },
        { calendarId: recipes },
      ]),
      googleUser(
        2,
        harbor,
        [
          { calendarId: harbor, selected: true },
          { calendarId: colleagueId, selected: true },
          { calendarId: holidays, selected: true },
        ],
        { hostedDomain: 'harbor.example', displayName: 'You (Harbor)' },
      ),
      googleUser(3, colleagueId, [{ calendarId: colleagueId, selected: true }], {
        hostedDomain: 'harbor.example',
        displayName: 'Colleague',
      }),
    ],
    calendars: [
      homeCalendar(day),
      familyCalendar(day),
      holidayCalendar(day),
      clubCalendar(day),
      googleCalendar(recipes, [googleEvent({ summary: 'Sourdough', start: day(5), end: day(6) })], {
        summary: 'Recipes',
        access: { [home]: 'owner' },
      }),
      harborCalendar(day),
      colleagueCalendar(day),
    ],
  };
}

function homeCalendar(day: Day): GoogleCalendar {
  return googleCalendar(googleCalendarIds.home, [
    ...googleSeries({
      summary: 'Running',
      start: `${day(-13)}T06:30`,
      end: `${day(-13)}T07:15`,
      rule: 'RRULE:FREQ=WEEKLY;BYDAY=TU,TH',
      cancelled: [day(3)],
      changed: { [day(8)]: { start: `${day(9)}T06:30`, end: `${day(9)}T07:15`, location: 'Vondelpark' } },
    }),
    googleEvent({
      summary: 'Dinner with the neighbours',
      start: `${day(1)}T19:00`,
      end: `${day(1)}T21:30`,
      organizedBy: neighbour,
      invited: [partner],
      description: '<b>Bring</b> dessert &amp; a chair',
    }),
    googleEvent({
      summary: 'Street party committee',
      start: `${day(2)}T20:00`,
      end: `${day(2)}T21:00`,
      organizedBy: neighbour,
      response: 'declined',
    }),
    googleEvent({
      summary: 'Board games',
      start: `${day(4)}T20:00`,
      end: `${day(4)}T23:00`,
      organizedBy: neighbour,
      response: 'tentative',
    }),
    googleEvent({
      summary: 'Parents evening',
      start: `${day(8)}T18:30`,
      end: `${day(8)}T19:30`,
      organizedBy: partner,
      response: 'needsAction',
    }),
    googleEvent({ summary: 'Bins out', start: `${day(2)}T07:00`, end: `${day(2)}T07:05`, transparency: 'transparent' }),
    googleEvent({
      summary: 'Physiotherapist',
      start: `${day(7)}T08:00`,
      end: `${day(7)}T08:45`,
      visibility: 'private',
      location: 'Second floor',
    }),
    googleEvent({ summary: 'Passport expires', start: day(3), end: day(4), transparency: 'transparent' }),
    googleEvent({ summary: 'Weekend in the Ardennes', start: day(5), end: day(7) }),
    googleEvent({ start: `${day(6)}T20:00`, end: `${day(6)}T21:00` }),
    googleEvent({
      summary: 'Call with an aunt in Vancouver',
      start: `${day(8)}T12:00`,
      end: `${day(8)}T12:30`,
      zone: 'America/Vancouver',
      meet: 'aunt',
    }),
    googleEvent({
      summary: 'Flight to Lisbon (TP 661)',
      start: `${day(11)}T19:55`,
      end: `${day(11)}T23:00`,
      eventType: 'fromGmail',
      visibility: 'private',
      privateCopy: true,
      locked: true,
      guestsCanInviteOthers: false,
      source: { url: 'https://mail.google.com/mail?extsrc=cal', title: '' },
    }),
    ...googleSeries({
      summary: 'Happy birthday!',
      start: '1985-06-15',
      end: '1985-06-16',
      rule: 'RRULE:FREQ=YEARLY',
      eventType: 'birthday',
      transparency: 'transparent',
      visibility: 'private',
      birthdayProperties: { type: 'self' },
    }),
    googleEvent({
      summary: 'Birthday of the partner',
      start: day(9),
      end: day(10),
      eventType: 'birthday',
      transparency: 'transparent',
      visibility: 'private',
      birthdayProperties: { type: 'birthday', contact: 'people/c1' },
    }),
  ]);
}

function familyCalendar(day: Day): GoogleCalendar {
  const { home, family } = googleCalendarIds;
  return googleCalendar(
    family,
    [
      ...googleSeries({
        summary: 'Swimming lesson',
        start: `${day(-2)}T08:30`,
        end: `${day(-2)}T09:15`,
        rule: 'RRULE:FREQ=WEEKLY;COUNT=10',
        creator: partner,
      }),
      googleEvent({ summary: 'Grandparents here', start: day(11), end: day(14), transparency: 'transparent' }),
    ],
    { summary: 'Family', access: { [home]: 'writer', [partner.email]: 'owner' } },
  );
}

function holidayCalendar(day: Day): GoogleCalendar {
  return googleCalendar(
    googleCalendarIds.holidays,
    [
      googleEvent({
        summary: 'Saint Nicholas Eve',
        description: 'Observance\nTo hide observances, go to Google Calendar Settings > Holidays in Netherlands',
        start: day(12),
        end: day(13),
        transparency: 'transparent',
        visibility: 'public',
      }),
    ],
    { summary: 'Holidays in Netherlands', access: { '*': 'reader' } },
  );
}

function clubCalendar(day: Day): GoogleCalendar {
  return googleCalendar(googleCalendarIds.club, manyGoogleEvents(5, `${day(6)}T13:00`, 'Heat'), {
    summary: 'Sports club (old)',
    access: { [googleCalendarIds.home]: 'reader' },
  });
}

function harborCalendar(day: Day): GoogleCalendar {
  const workingLocation = { eventType: 'workingLocation', transparency: 'transparent', visibility: 'public' } as const;
  return googleCalendar(
    googleCalendarIds.harbor,
    [
      // Accepted from Outlook: its uid is that of the Microsoft mailboxes, with zeros where those have the date.
      ...googleSeries({
        summary: 'Steering committee',
        start: `${day(1)}T14:00`,
        end: `${day(1)}T15:00`,
        rule: 'RRULE:FREQ=WEEKLY;COUNT=2',
        iCalUID: outlookUid('steering committee'),
        organizedBy: youAtXebia,
        location: 'Microsoft Teams Meeting',
        description: 'Join: https://teams.microsoft.com/l/meetup-join/19%3ameeting_steering%40thread.v2/0',
        privateCopy: true,
      }),
      ...googleSeries({
        summary: 'Harbor weekly',
        start: `${day(2)}T17:00`,
        end: `${day(2)}T17:30`,
        rule: `RRULE:FREQ=WEEKLY;UNTIL=${day(30).replaceAll('-', '')}T230000Z`,
        organizedBy: harborLead,
        invited: [colleague],
        meet: 'harbor weekly',
        guestsCanSeeOtherGuests: false,
      }),
      googleEvent({
        summary: 'All hands',
        start: `${day(11)}T13:00`,
        end: `${day(11)}T14:00`,
        organizedBy: harborLead,
        invited: Array.from({ length: 198 }, (_, index) => ({ email: `guest${index + 1}@harbor.example` })),
        attendeesOmitted: true,
        meet: 'all hands',
      }),
      googleEvent({
        summary: 'Out of office',
        start: `${day(10)}T16:00`,
        end: `${day(10)}T18:00`,
        eventType: 'outOfOffice',
        outOfOfficeProperties: { autoDeclineMode: 'declineAllConflictingInvitations', declineMessage: 'Back tomorrow' },
      }),
      googleEvent({
        summary: 'Focus time',
        start: `${day(4)}T09:30`,
        end: `${day(4)}T11:00`,
        eventType: 'focusTime',
        focusTimeProperties: { autoDeclineMode: 'declineNone', chatStatus: 'doNotDisturb' },
      }),
      googleEvent({
        ...workingLocation,
        summary: 'Home',
        start: day(2),
        end: day(3),
        workingLocationProperties: { type: 'homeOffice', homeOffice: {} },
      }),
      googleEvent({
        ...workingLocation,
        summary: 'Pier 4',
        start: `${day(3)}T13:30`,
        end: `${day(3)}T17:30`,
        workingLocationProperties: { type: 'officeLocation', officeLocation: { label: 'Pier 4' } },
      }),
      googleEvent({
        summary: 'Appraisal',
        start: `${day(8)}T13:00`,
        end: `${day(8)}T13:30`,
        organizedBy: harborLead,
        visibility: 'private',
      }),
      googleEvent({
        summary: 'Kick-off, date to be confirmed',
        start: `${day(11)}T14:00`,
        end: `${day(11)}T15:00`,
        status: 'tentative',
        colorId: '6',
        reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: 10 }] },
      }),
    ],
    { access: { [googleCalendarIds.harbor]: 'owner', [colleague.email]: 'reader' } },
  );
}

function colleagueCalendar(day: Day): GoogleCalendar {
  const { colleague: id, home, harbor } = googleCalendarIds;
  return googleCalendar(
    id,
    [
      ...googleSeries({
        summary: 'Secret project',
        start: `${day(0)}T17:00`,
        end: `${day(0)}T17:30`,
        rule: 'RRULE:FREQ=DAILY;INTERVAL=2;COUNT=5',
      }),
      googleEvent({ summary: 'Job interview elsewhere', start: `${day(1)}T15:30`, end: `${day(1)}T16:00` }),
    ],
    { access: { [id]: 'owner', [home]: 'freeBusyReader', [harbor]: 'freeBusyReader' } },
  );
}
