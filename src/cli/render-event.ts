/** One event as a person reads it. */
import type { EventAnswer } from '../operations/get-event.ts';
import { factsOf } from '../server/text.ts';
import { dayName } from './day-names.ts';
import { WORDS } from './render-agenda.ts';
import { renderCoverage, timesOn } from './render-head.ts';
import type { Screen } from './shell.ts';
import { formatTable } from './table.ts';

interface Named {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
}

const nameOf = ({ name, email }: Named): string =>
  name === undefined ? (email ?? '?') : email === undefined ? name : `${name} <${email}>`;

/** @param withText whether its text was asked for */
export function renderEvent(
  { event, complete, accounts, range }: EventAnswer,
  { style, columns }: Screen,
  withText: boolean,
): string {
  const { title, id, organizer, attendees = [], attendeeCount, attendeesOmitted, categories, webLink, text } = event;
  const { accounts: own = [], calendar, location, join, zone: _zone, ...rest } = event;
  const people = attendees.map((person) => {
    const answered = person.response === 'none' ? undefined : (WORDS[person.response] ?? person.response);
    const facts = [answered, person.optional ? 'optional' : undefined, person.resource ? 'room' : undefined];
    const known = facts.filter(Boolean).join(', ');
    return `${nameOf(person)}${known === '' ? '' : ` (${known})`}`;
  });
  const day = dayName(event.start.slice(0, 10));
  const rows = [
    ['when', `${day}, ${timesOn(event)} ${event.allDay ? (event.zone ?? '') : range.timeZone}`.trim()],
    ['where', location],
    ['join', join],
    ['calendar', [own.join(', '), calendar].filter(Boolean).join(': ')],
    [
      'what',
      factsOf(rest)
        .map((fact) => WORDS[fact] ?? fact)
        .join(', '),
    ],
    ['zone', event.allDay ? undefined : event.zone],
    ['organizer', organizer === undefined ? undefined : nameOf(organizer)],
    ['attendees', attendeeCount === undefined ? undefined : String(attendeeCount)],
    ...people.map((person) => ['', person]),
    ['', attendeesOmitted ? 'and more that are not shown' : undefined],
    ['categories', categories?.join(', ')],
    ['link', webLink],
    ['id', id],
    ['version', event.version],
  ].filter((row): row is [string, string] => Boolean(row[1]));
  const table = formatTable(rows, {
    indent: '  ',
    columns,
    style: (cell, column) => (column === 0 ? style('dim', cell) : cell),
  });
  return `${[
    ...renderCoverage(accounts, complete, style),
    '',
    style('bold', title === undefined ? 'Busy' : (title ?? '(no title)')),
    ...table,
    ...(withText && text === undefined ? ['', style('dim', '  (no text)')] : []),
    ...(text === undefined ? [] : ['', ...text.split('\n').map((line) => `  ${line}`.trimEnd())]),
    ...(event.textTruncated ? ['  …'] : []),
  ].join('\n')}\n`;
}
