/** What a change did, or would do, as a person reads it. */
import type { EventItem } from '../operations/event-item.ts';
import type { Outcome } from '../operations/writing/outcome.ts';
import { dayName } from './day-names.ts';
import { inCommandWords } from './help/command-words.ts';
import { renderCoverage, timesOn } from './render-head.ts';
import type { Screen } from './shell.ts';
import { formatTable } from './table.ts';

const TITLES: Readonly<Record<Outcome['outcome'], string>> = {
  preview: 'Nothing was done. This would be:',
  created: 'Created',
  existed: 'It was there already; nothing was done',
  updated: 'Changed',
  deleted: 'Deleted',
  responded: 'Answered',
  conflict: 'Nothing was done: the event has changed since. As it is now:',
};

function lineOf(event: EventItem, account: string | undefined): string {
  const place = account === undefined ? '' : ` (${account})`;
  return `${dayName(event.start.slice(0, 10))}, ${timesOn(event)}  ${event.title ?? '(no title)'}${place}`;
}

const accountOf = ({ accounts, id }: EventItem): string | undefined => accounts?.join(', ') ?? id?.split('.')[0];

export function renderOutcome(outcome: Outcome, { style, columns }: Screen): string {
  const { notices = [], event, changes = [], mails, mailCount, needs = [], notes = [], conflicts = [] } = outcome;
  const isDone = outcome.outcome !== 'preview' && outcome.outcome !== 'conflict';
  const rows = [
    ['where', [outcome.account, outcome.calendar].filter(Boolean).join(': ')],
    ['what', event === undefined ? undefined : lineOf(event, undefined)],
    ['repeats', event?.repeats],
    ...changes.map(({ field, from, to }) => [field, from === undefined ? to : `${from} → ${to}`]),
    [
      isDone ? 'e-mailed' : 'would mail',
      mails === undefined ? undefined : mails.join(', ') + (mailCount === undefined ? '' : ` (${mailCount} in all)`),
    ],
    ['needs', needs.length === 0 ? undefined : inCommandWords(needs.join('; '))],
    ...notes.map((note) => ['note', note]),
    // Of what is gone there is nothing left to name.
    ...(outcome.outcome === 'deleted'
      ? []
      : [
          ['id', event?.id],
          ['version', event?.version],
        ]),
  ].filter((row): row is [string, string] => Boolean(row[1]));
  const table = formatTable(rows, {
    indent: '  ',
    columns,
    style: (cell, column) => (column === 0 ? style('dim', cell) : cell),
  });
  const list = (title: string, events: readonly EventItem[]): string[] =>
    events.length === 0 ? [] : ['', style('yellow', title), ...events.map((one) => `  ${lineOf(one, accountOf(one))}`)];
  const more = outcome.conflictCount === undefined ? '' : ` (${outcome.conflictCount} in all)`;
  return `${[
    ...notices.map((notice) => style('yellow', notice)),
    style(isDone ? 'green' : 'bold', TITLES[outcome.outcome]),
    ...table,
    ...list(`At the same time${more}:`, conflicts),
    ...list('Perhaps there already:', outcome.possibleDuplicates ?? []),
    ...(outcome.complete === false
      ? ['', ...renderCoverage(outcome.accounts ?? [], false, style), 'There may be more at that time.']
      : []),
  ].join('\n')}\n`;
}
