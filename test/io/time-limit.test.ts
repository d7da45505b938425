import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { limitedSignal } from '../../src/io/time-limit.ts';

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('a time limit fires though nobody but its listeners knows it, and rubbish is collected meanwhile', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const others = new AbortController();
  let fired: unknown;
  const reason = new Error('late');
  (() => {
    const signal = limitedSignal(150, () => reason, others.signal);
    signal.addEventListener('abort', () => {
      fired = signal.reason;
    });
  })();
  for (let time = 0; time < 5; time++) {
    collect();
    await wait(50);
  }
  expect(fired).toBe(reason);
});

test('it ends with whatever comes first, at once where that has been', async () => {
  const other = new AbortController();
  const signal = limitedSignal(10_000, () => new Error('late'), other.signal);
  const reason = new Error('given up');
  other.abort(reason);
  expect(signal.reason).toBe(reason);
  expect(limitedSignal(10_000, () => new Error('late'), other.signal).reason).toBe(reason);
});
