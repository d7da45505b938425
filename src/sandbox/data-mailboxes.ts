import { calendar, mailbox, weekly } from './build-data.ts';
import { event } from './build-event.ts';
import type { Mailbox, Person } from './data.ts';
import { outlookUid } from './opaque.ts';

/** The date (YYYY-MM-DD) so many days after the Monday that the data set starts on. */
type Day = (offset: number) => string;

const person = (name: string, domain: string): Person => ({
  name,
  address: `${name.toLowerCase().replaceAll(' ', '.')}@${domain}`,
});

const youAtXebia: Person = { name: 'You', address: 'you@xebia.example' };
const youAtMarimer: Person = { name: 'You (Xebia)', address: 'you@marimer.example' };
const scrumMaster = person('Scrum master', 'xebia.example');
const deliveryLead = person('Delivery lead', 'xebia.example');
const productOwner = person('Product owner', 'xebia.example');
const accountManager = person('Account manager', 'xebia.example');
const architect = person('Architect', 'xebia.example');
const programManager = person('Program manager', 'marimer.example');
const designLead = person('Design lead', 'marimer.example');
const dataLead = person('Data lead', 'northwind.example');
const financeLead = person('Finance lead', 'northwind.example');
const vendor = person('Vendor sales', 'vendor.example');

/** One meeting, organized in one mailbox and accepted in another: the same uid in two spellings. */
const steeringCommittee = {
  subject: 'Steering committee',
  uid: 'steering committee',
  weeks: 2,
  teams: 'steering committee',
  invited: [youAtMarimer, programManager],
};

export function xebia(day: Day): Mailbox {
  const main = [
    ...weekly({
      subject: 'Stand-up',
      start: `${day(0)}T09:00`,
      end: `${day(0)}T09:15`,
      weeks: 2,
      weekdays: [1, 2, 3, 4, 5],
      organizedBy: scrumMaster,
      invited: [youAtXebia, productOwner, architect],
      teams: 'stand-up',
      deleted: [day(8)],
      changed: { [day(2)]: { start: `${day(3)}T13:00`, end: `${day(3)}T13:15` } },
    }),
    ...weekly({ ...steeringCommittee, start: `${day(1)}T14:00`, end: `${day(1)}T15:00`, datedUids: true }),
    ...weekly({
      subject: 'Refinement',
      start: `${day(2)}T10:00`,
      end: `${day(2)}T11:00`,
      weeks: 2,
      organizedBy: productOwner,
      text: 'Bring the three stories that are too big.',
    }),
    event({
      subject: 'Sprint planning',
      start: `${day(0)}T10:00`,
      end: `${day(0)}T12:00`,
      organizedBy: scrumMaster,
      invited: [youAtXebia, productOwner],
      place: 'Room Herengracht',
      categories: ['Project'],
    }),
    event({ subject: 'Lunch with the new joiner', start: `${day(0)}T12:00`, end: `${day(0)}T12:45`, place: 'Canteen' }),
    event({
      subject: 'Mortgage adviser',
      start: `${day(0)}T15:30`,
      end: `${day(0)}T16:00`,
      sensitivity: 'private',
      text: 'Bring the payslips.',
    }),
    event({
      subject: 'Vendor demo',
      start: `${day(1)}T14:00`,
      end: `${day(1)}T15:00`,
      organizedBy: vendor,
      invited: [youAtXebia, architect],
      response: 'declined',
    }),
    event({
      subject: 'Canceled: Architecture review',
      start: `${day(1)}T11:00`,
      end: `${day(1)}T12:00`,
      organizedBy: architect,
      isCancelled: true,
      showAs: 'free',
    }),
    event({
      subject: 'Pre-sales call',
      start: `${day(2)}T16:00`,
      end: `${day(2)}T16:30`,
      organizedBy: accountManager,
      invited: [youAtXebia],
      response: 'tentativelyAccepted',
    }),
    event({
      subject: 'Dentist',
      start: `${day(3)}T08:00`,
      end: `${day(3)}T09:00`,
      showAs: 'oof',
      sensitivity: 'personal',
    }),
    event({
      subject: 'Guild meetup',
      start: `${day(3)}T16:00`,
      end: `${day(3)}T17:00`,
      organizedBy: architect,
      invited: [youAtXebia],
      response: 'notResponded',
    }),
    event({
      subject: 'Release of the claims portal',
      start: `${day(3)}T22:00`,
      end: `${day(4)}T01:30`,
      organizedBy: deliveryLead,
      importance: 'high',
    }),
    event({ subject: 'Working from home', start: day(4), end: day(5), showAs: 'workingElsewhere' }),
    event({
      subject: 'Retrospective',
      start: `${day(4)}T13:00`,
      end: `${day(4)}T14:00`,
      organizedBy: scrumMaster,
      invited: [youAtXebia, productOwner],
    }),
    event({
      subject: '🎉 Farewell drinks',
      start: `${day(4)}T16:30`,
      end: `${day(4)}T18:00`,
      organizedBy: deliveryLead,
    }),
    event({
      subject: 'Public holiday in Belgium',
      start: day(7),
      end: day(8),
      showAs: 'free',
      categories: ['Holiday'],
    }),
    event({ subject: null, start: `${day(7)}T13:30`, end: `${day(7)}T14:00` }),
    event({
      subject: 'Sync with the New York office',
      start: `${day(8)}T10:00`,
      end: `${day(8)}T10:30`,
      zone: 'Eastern Standard Time',
      organizedBy: person('Practice lead', 'xebia.example'),
      invited: [youAtXebia],
      teams: 'new york',
    }),
    event({
      subject: 'Customer workshop',
      start: `${day(9)}T13:00`,
      end: `${day(9)}T15:00`,
      organizedBy: accountManager,
      originalStartTimeZone: 'tzone://Microsoft/Custom',
      originalEndTimeZone: 'tzone://Microsoft/Custom',
      hideAttendees: true,
    }),
    event({ subject: 'Conference', start: day(9), end: day(12), showAs: 'workingElsewhere', place: 'Utrecht' }),
    event({ subject: 'פגישת היכרות', start: `${day(10)}T11:00`, end: `${day(10)}T11:30`, organizedBy: deliveryLead }),
  ];
  const team = [
    event({ subject: 'Tester on leave', start: day(2), end: day(4), showAs: 'free', organizedBy: deliveryLead }),
    event({ subject: 'Team lunch', start: `${day(10)}T12:00`, end: `${day(10)}T13:00`, organizedBy: deliveryLead }),
  ];
  const birthdays = [
    event({ subject: 'Birthday of the delivery lead', start: day(4), end: day(5) }),
    event({ subject: 'Birthday of the architect', start: day(11), end: day(12) }),
  ];
  return mailbox('you@xebia.example', [
    calendar('Calendar', main),
    calendar('Team', team, { color: 'lightGreen', hexColor: '#7bd148' }),
    calendar('Birthdays', birthdays, { canEdit: false }),
  ]);
}

export function bench(day: Day): Mailbox {
  return mailbox('bench@xebia.example', [
    calendar('Calendar', [
      event({ subject: 'Certification study', start: `${day(0)}T13:00`, end: `${day(0)}T17:00` }),
      event({ subject: 'Talk with the account manager', start: `${day(2)}T11:00`, end: `${day(2)}T11:30` }),
    ]),
  ]);
}

export function marimer(day: Day): Mailbox {
  const main = [
    ...weekly({
      ...steeringCommittee,
      start: `${day(1)}T14:00`,
      end: `${day(1)}T15:00`,
      datedUids: false,
      organizedBy: youAtXebia,
    }),
    event({ subject: 'Client day on site', start: `${day(1)}T09:30`, end: `${day(1)}T12:00`, place: 'Rotterdam' }),
    event({ subject: 'Account review', start: `${day(2)}T13:00`, end: `${day(2)}T14:00`, organizedBy: programManager }),
    event({
      subject: 'Aurora go/no-go',
      start: `${day(4)}T13:30`,
      end: `${day(4)}T14:30`,
      organizedBy: programManager,
      invited: [youAtMarimer],
      importance: 'high',
    }),
    event({
      subject: 'One-to-one with the program manager',
      start: `${day(7)}T10:00`,
      end: `${day(7)}T10:30`,
      organizedBy: programManager,
    }),
    event({ subject: 'Invoice questions', start: `${day(10)}T15:00`, end: `${day(10)}T15:30` }),
  ];
  const aurora = [
    event({
      subject: 'Aurora design session',
      start: `${day(2)}T14:30`,
      end: `${day(2)}T15:30`,
      organizedBy: designLead,
    }),
    event({ subject: 'Aurora demo', start: `${day(9)}T16:00`, end: `${day(9)}T17:00`, organizedBy: designLead }),
    event({
      subject: 'Aurora planning',
      start: `${day(11)}T10:00`,
      end: `${day(11)}T11:30`,
      organizedBy: programManager,
    }),
  ];
  return mailbox('you@marimer.example', [
    calendar('Calendar', main),
    calendar('Project Aurora', aurora, { color: 'lightBlue', hexColor: '#5484ed' }),
  ]);
}

export function northwind(day: Day): Mailbox {
  return mailbox('you@northwind.example', [
    calendar('Calendar', [
      event({ subject: 'Advisory board', start: `${day(0)}T13:00`, end: `${day(0)}T14:00`, organizedBy: financeLead }),
      event({
        subject: 'Catch-up with the finance lead',
        start: `${day(10)}T09:30`,
        end: `${day(10)}T10:00`,
        organizedBy: financeLead,
      }),
    ]),
    calendar('Consulting', [
      event({
        subject: 'Data platform workshop',
        start: `${day(3)}T10:00`,
        end: `${day(3)}T12:00`,
        organizedBy: dataLead,
      }),
    ]),
    calendar('Training', [
      event({
        subject: 'Security training',
        start: `${day(7)}T15:00`,
        end: `${day(7)}T16:00`,
        organizedBy: person('Security officer', 'northwind.example'),
      }),
    ]),
    calendar('Meeting rooms', [], { canEdit: false }),
    calendar('Company days', [event({ subject: 'Company day', start: day(8), end: day(9) })], { canEdit: false }),
    calendar('On call', [
      event({
        subject: 'On call (second line)',
        start: day(7),
        end: day(14),
        showAs: 'free',
        iCalUId: outlookUid('on call'),
      }),
    ]),
  ]);
}
