/** What is known of a change whose request was refused before it was sent. */
import { expect, test } from 'vitest';
import type { StoredEvent } from '../../src/core/change.ts';
import { CalmcpError } from '../../src/core/errors.ts';
import { NOT_SENT } from '../../src/core/not-sent.ts';
import { createOnce, isRefusal, settle } from '../../src/operations/writing/settle.ts';
import { openCall } from '../harness.ts';

const notSent = new CalmcpError('UNAVAILABLE', 'it was not asked', { hint: 'try again in 5 s', cause: NOT_SENT });
const lost = new CalmcpError('UNAVAILABLE', 'the connection broke', { cause: new Error('ECONNRESET') });

test('an event whose request was never sent was not made: it is said as it is, and not tried again', async () => {
  let tries = 0;
  const make = async (): Promise<never> => {
    tries++;
    throw notSent;
  };
  await expect(createOnce(make, openCall())).rejects.toBe(notSent);
  expect(tries).toBe(1);
});

test('a change whose request was never sent needs no look at the event', async () => {
  let looks = 0;
  const attempt = {
    before: {} as StoredEvent,
    make: () => Promise.reject(notSent),
    look: async (): Promise<StoredEvent> => {
      looks++;
      throw notSent;
    },
    seen: () => undefined,
  };
  await expect(settle(attempt, openCall())).rejects.toBe(notSent);
  expect(looks).toBe(0);
  expect(isRefusal(notSent)).toBe(true);
});

test('an event whose answer got lost may have been made, though its repetition was never sent', async () => {
  const errors = [lost, new CalmcpError('UNAVAILABLE', 'it was not asked', { hint: 'try again in 5 s' })];
  await expect(createOnce(() => Promise.reject(errors.shift()), openCall())).rejects.toMatchObject({
    message: expect.stringContaining('nobody knows whether it was created'),
  });
});
