import { expect, test } from 'vitest';
import { type ClockWatch, type Jump, watchClocks } from '../../src/io/wake.ts';

const DAY = 86_400_000;

interface Machine {
  readonly watch: ClockWatch;
  readonly jumps: Jump[];
  /** Both clocks move. */
  pass(ms: number): void;
  /** One of them moves. */
  setWall(ms: number): void;
  tick(): void;
  readonly ended: () => boolean;
}

function machine(): Machine {
  const jumps: Jump[] = [];
  let [wall, monotonic, ended] = [Date.parse('2026-11-23T08:00:00Z'), 1_000, false];
  let tick: () => void = () => undefined;
  const watch = watchClocks({
    onJump: (jump) => jumps.push(jump),
    wall: () => wall,
    monotonic: () => monotonic,
    repeat(given, everyMs) {
      expect(everyMs).toBe(5_000);
      tick = given;
      return () => {
        ended = true;
      };
    },
  });
  return {
    watch,
    jumps,
    pass(ms) {
      wall += ms;
      monotonic += ms;
    },
    setWall(ms) {
      wall += ms;
    },
    tick: () => tick(),
    ended: () => ended,
  };
}

test.each([
  ['forward', DAY],
  ['back', -DAY],
  ['by three seconds', 3_000],
])('a clock that is set %s is noticed once, at the next tick', (_which, by) => {
  const { jumps, pass, setWall, tick } = machine();
  pass(5_000);
  tick();
  pass(2_000);
  setWall(by);
  pass(3_000);
  tick();
  expect(jumps).toEqual([{ kind: 'drift', wallMs: 5_000 + by, monotonicMs: 5_000 }]);
  for (let tickNumber = 0; tickNumber < 10; tickNumber++) {
    pass(5_000);
    tick();
  }
  expect(jumps).toHaveLength(1);
});

test('a day forward and a day back are two jumps', () => {
  const { jumps, pass, setWall, tick } = machine();
  for (const by of [DAY, -DAY]) {
    setWall(by);
    pass(5_000);
    tick();
  }
  expect(jumps.map(({ wallMs }) => wallMs)).toEqual([DAY + 5_000, -DAY + 5_000]);
});

test('on Linux a sleep stops the clock that nobody sets, and is noticed by the drift', () => {
  const { jumps, pass, setWall, tick } = machine();
  pass(1_000);
  setWall(30_000);
  pass(4_000);
  tick();
  expect(jumps).toEqual([{ kind: 'drift', wallMs: 35_000, monotonicMs: 5_000 }]);
});

test('on macOS and Windows both clocks go on in sleep, and the tick that comes late tells', () => {
  const { jumps, pass, tick } = machine();
  pass(20_500);
  tick();
  expect(jumps).toEqual([{ kind: 'late', wallMs: 20_500, monotonicMs: 20_500 }]);
  pass(5_000);
  tick();
  expect(jumps).toHaveLength(1);
});

test('whoever looks before the tick is told at once, and the tick does not tell it again', () => {
  const { jumps, pass, setWall, tick, watch } = machine();
  pass(1_000);
  watch.check();
  expect(jumps).toEqual([]);
  setWall(DAY);
  watch.check();
  expect(jumps).toHaveLength(1);
  watch.check();
  pass(4_000);
  tick();
  expect(jumps).toHaveLength(1);
  pass(21_000);
  watch.check();
  expect(jumps.map(({ kind }) => kind)).toEqual(['drift', 'late']);
});

test('half a second that NTP corrects is no jump, nor is an hour of slow corrections', () => {
  const { jumps, pass, setWall, tick, watch } = machine();
  setWall(500);
  pass(5_000);
  tick();
  // 500 ppm, the most that a kernel slews by: 1.8 s in an hour, and more in two.
  for (let seconds = 0; seconds < 7_200; seconds += 5) {
    setWall(2.5);
    pass(5_000);
    watch.check();
    tick();
  }
  expect(jumps).toEqual([]);
});

test('a busy process whose tick comes some seconds late has not slept', () => {
  const { jumps, pass, tick } = machine();
  pass(14_000);
  tick();
  expect(jumps).toEqual([]);
});

test('it ends', () => {
  const { ended, watch } = machine();
  expect(ended()).toBe(false);
  watch.end();
  expect(ended()).toBe(true);
});

test('with the clocks of this machine nothing jumps, and the timer keeps no process alive', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const jumps: Jump[] = [];
  const watch = watchClocks({ onJump: (jump) => jumps.push(jump) });
  watch.check();
  expect(timers()).toBe(before);
  watch.end();
  expect(jumps).toEqual([]);
});
