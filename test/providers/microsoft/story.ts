import { calendar, event, type Sandbox, singleMailbox, weekly } from '../../../src/sandbox/index.ts';
import { SERIES, STORY } from '../../contract/provider-contract.ts';
import { openSandbox } from '../../harness.ts';

const day = (local: string): string => local.slice(0, 10);

/** A sandbox whose one mailbox holds the story of the contract, and this many calendars. */
export function openStory(calendars: number): Promise<Sandbox> {
  const series = weekly({
    subject: SERIES.title,
    start: SERIES.start,
    end: SERIES.end,
    weeks: SERIES.count,
    deleted: [day(SERIES.cancelled)],
    changed: { [day(SERIES.moved.from)]: { start: SERIES.moved.to, end: SERIES.moved.end } },
  });
  const events = [...STORY.map(({ title, ...times }) => event({ subject: title, ...times })), ...series];
  const others = Array.from({ length: calendars - 1 }, (_, index) => calendar(`Other ${index}`, []));
  return openSandbox({ data: singleMailbox([calendar('Calendar', events), ...others]) });
}
