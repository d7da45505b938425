import type { EventFields, EventWriter, StoredEvent } from '../../core/change.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import { etagOf, splitId, storedAt } from './occurrences.ts';
import type { Kept, Store } from './store.ts';

/** What a list on this machine has no use for: nobody is invited, and nothing rings. */
const NOT_HELD: readonly (keyof EventFields)[] = ['attendees', 'online', 'reminders', 'color', 'type'];

export function openWriter(store: Store, account: string, now: () => number): EventWriter {
  const gone = (): CalmcpError => new CalmcpError('NOT_FOUND', 'the event is not there any more', { account });

  function find(
    all: readonly Kept[],
    calendar: Calendar,
    id: string,
  ): { readonly kept: Kept; readonly stored: StoredEvent; readonly key: string | undefined } {
    if (/^\d+$/.test(id))
      throw new CalmcpError('READ_ONLY', 'the event stands in accounts.yaml', { account, hint: 'change it there' });
    const { series, key } = splitId(id);
    const kept = all.find((each) => each.id === series);
    const stored = kept === undefined ? undefined : storedAt(kept, key, { account, calendar });
    if (kept === undefined || stored === undefined) throw gone();
    return { kept, stored, key };
  }

  function change<T>(
    calendar: Calendar,
    id: string,
    etag: string,
    work: (
      kept: Kept,
      key: string | undefined,
    ) => { readonly kept: Kept | null; readonly result: (kept: Kept | null) => T },
  ): Promise<T> {
    return store.change((all) => {
      const { kept, key } = find(all, calendar, id);
      if (etagOf(kept) !== etag) throw new CalmcpError('CONFLICT', 'the event has changed since', { account });
      const done = work(kept, key);
      const next = done.kept === null ? null : { ...done.kept, sequence: kept.sequence + 1, updated: now() };
      return {
        kept: all.flatMap((each) => (each !== kept ? [each] : next === null ? [] : [next])),
        result: done.result(next),
      };
    });
  }

  return {
    alwaysNotifies: false,
    check(fields) {
      const name = NOT_HELD.find((each) => fields[each] !== undefined);
      if (name !== undefined)
        throw new CalmcpError('INPUT_INVALID', `an event of provider memory has no ${name}`, {
          account,
          hint: `leave ${name} out, or write to an account of Microsoft or Google`,
        });
    },
    async get(calendar, id) {
      return find(await store.all(), calendar, id).stored;
    },
    create: (calendar, fields, { key }) =>
      store.change((all) => {
        const id = `m${key}`;
        const known = all.find((each) => each.id === id);
        const kept = known ?? { id, fields, sequence: 1, updated: now(), changed: {}, gone: [] };
        const stored = find([kept], calendar, id).stored;
        return { kept: known === undefined ? [...all, kept] : all, result: { stored, existed: known !== undefined } };
      }),
    update: (calendar, id, fields, { etag }) =>
      change(calendar, id, etag, (kept, key) => {
        // As with the large ones: occurrences that differ do so from the series as it was.
        const isMoved = fields.start !== undefined || fields.recurrence !== undefined;
        const next =
          key === undefined
            ? { ...kept, fields: { ...kept.fields, ...fields }, ...(isMoved ? keptBy(kept, fields) : {}) }
            : { ...kept, changed: { ...kept.changed, [key]: { ...kept.changed[key], ...fields } } };
        return { kept: next, result: (after) => find(after === null ? [] : [after], calendar, id).stored };
      }),
    delete: (calendar, id, { etag }) =>
      change(calendar, id, etag, (kept, key) => ({
        kept: key === undefined ? null : { ...kept, gone: [...kept.gone, key] },
        result: () => undefined,
      })),
    async respond() {
      throw new CalmcpError('INPUT_INVALID', 'nobody is invited in an account of provider memory', { account });
    },
  };
}

/** The exceptions that are left when a series changes: all where only its end does, none where its times do. */
function keptBy({ changed, gone }: Kept, { start }: EventFields): Pick<Kept, 'changed' | 'gone'> {
  return start === undefined ? { changed, gone } : { changed: {}, gone: [] };
}
