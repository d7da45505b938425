import { googleEvent, googleSeries, type Sandbox, singleGoogleAccount } from '../../../src/sandbox/index.ts';
import { SERIES, STORY, ZONE } from '../../contract/provider-contract.ts';
import { openSandbox } from '../../harness.ts';

const day = (local: string): string => local.slice(0, 10);

/** A sandbox whose one Google account holds the story of the contract. */
export function openStory(): Promise<Sandbox> {
  const events = [
    ...STORY.map(({ title, ...times }) => googleEvent({ summary: title, zone: ZONE, ...times })),
    ...googleSeries({
      summary: SERIES.title,
      start: SERIES.start,
      end: SERIES.end,
      zone: ZONE,
      rule: `RRULE:FREQ=WEEKLY;COUNT=${SERIES.count}`,
      cancelled: [day(SERIES.cancelled)],
      changed: { [day(SERIES.moved.from)]: { start: SERIES.moved.to, end: SERIES.moved.end } },
    }),
  ];
  return openSandbox({ googleData: singleGoogleAccount(events) });
}
