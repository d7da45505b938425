import { expect, test } from 'vitest';
import { CHILD_TIMES } from '../../src/io/child-host.ts';

test('child servers have the times that docs/child-servers.md promises', () => {
  expect(CHILD_TIMES).toEqual({
    start: 30_000,
    slot: 10_000,
    idle: 900_000,
    pingEvery: 30_000,
    ping: 5_000,
    backoff: 1_000,
    backoffCap: 60_000,
    reconnect: 3_000,
    stable: 300_000,
    stop: 5_000,
  });
});
