import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { busyOf, mostSevere } from '../../src/core/busy.ts';
import { BUSY, event, RESPONSES, STATUSES, TYPES } from './events.ts';

describe('what an event does to the time of its owner', () => {
  it.each([
    ['S01: declined at Google', { myResponse: 'declined' }, 'free'],
    ['S02: declined at Outlook, which saved it as free', { myResponse: 'declined', busy: 'free' }, 'free'],
    ['S03: declined in CalDAV though it is opaque', { myResponse: 'declined', busy: 'oof' }, 'free'],
    ['S04: nobody answered the invitation yet, at Google', { myResponse: 'notResponded', busy: 'busy' }, 'tentative'],
    ['S04: nobody answered it yet, at Microsoft', { myResponse: 'notResponded', busy: 'tentative' }, 'tentative'],
    ['answered with maybe', { myResponse: 'tentative' }, 'tentative'],
    ['S05: organized, without being an attendee', { myResponse: 'organizer' }, 'busy'],
    ['S07: accepted, whatever the others said', { myResponse: 'accepted' }, 'busy'],
    ['S08: called off and still there', { status: 'cancelled', myResponse: 'organizer' }, 'free'],
    ['S10: transparent, with attendees', { busy: 'free', myResponse: 'accepted' }, 'free'],
    ['S11: working elsewhere', { busy: 'workingElsewhere' }, 'workingElsewhere'],
    ['S12: a working location', { type: 'workingLocation' }, 'free'],
    ['S14: focus time', { type: 'focusTime' }, 'busy'],
    ['S15: a birthday that claims to be busy', { type: 'birthday' }, 'free'],
    ['S15: a public holiday that claims to be busy', { type: 'holiday' }, 'free'],
    ['S16: from a mail, opaque', { type: 'fromGmail' }, 'busy'],
    ['S16: from a mail, transparent', { type: 'fromGmail', busy: 'free' }, 'free'],
    ['S17: a backend that will not tell', { busy: 'unknown' }, 'busy'],
    ['out of office by type', { type: 'outOfOffice' }, 'oof'],
    ['out of office by what it shows', { busy: 'oof' }, 'oof'],
    ['out of office, declined', { type: 'outOfOffice', myResponse: 'declined' }, 'free'],
    ['a tentative event of my own', { status: 'tentative', myResponse: 'organizer' }, 'tentative'],
    ['shown as tentative', { busy: 'tentative', myResponse: 'accepted' }, 'tentative'],
  ] as const)('%s', (_, fields, expected) => {
    expect(busyOf(event(fields))).toBe(expected);
  });

  it('is free only for a reason, and never unknown', () => {
    for (const busy of BUSY)
      for (const status of STATUSES)
        for (const myResponse of RESPONSES)
          for (const type of TYPES) {
            const reason =
              busy === 'free' ||
              status === 'cancelled' ||
              myResponse === 'declined' ||
              ['workingLocation', 'birthday', 'holiday'].includes(type);
            const result = busyOf({ busy, status, myResponse, type });
            expect(result === 'free').toBe(reason);
            expect(result).not.toBe('unknown');
          }
  });
});

describe('the most severe of several', () => {
  it('does not depend on their order', () => {
    fc.assert(
      fc.property(fc.constantFrom(...BUSY), fc.constantFrom(...BUSY), fc.constantFrom(...BUSY), (a, b, c) => {
        expect(mostSevere(a, b)).toBe(mostSevere(b, a));
        expect(mostSevere(a, mostSevere(b, c))).toBe(mostSevere(mostSevere(a, b), c));
        expect(mostSevere(a, a)).toBe(a);
      }),
    );
  });

  it('is what blocks, not what is free', () => {
    expect(mostSevere('free', 'workingElsewhere')).toBe('workingElsewhere');
    expect(mostSevere('workingElsewhere', 'tentative')).toBe('tentative');
    expect(mostSevere('tentative', 'unknown')).toBe('unknown');
    expect(mostSevere('busy', 'tentative')).toBe('busy');
    expect(mostSevere('busy', 'oof')).toBe('oof');
  });
});
