import { describe, expect, it } from 'vitest';
import { shareWork } from '../../src/accounts/shared-work.ts';
import type { Call } from '../../src/core/call.ts';

function openWaiter(deadline: number, more: Partial<Call> = {}): Call & { leave(): void; readonly told: string[] } {
  const ended = new AbortController();
  const told: string[] = [];
  return {
    signal: ended.signal,
    deadline,
    countRequest: () => told.push('request'),
    countRetry: () => told.push('retry'),
    leave: () => ended.abort(new Error('left')),
    told,
    ...more,
  };
}

function openWork() {
  let seen: Call | undefined;
  let finish: (value: string) => void = () => undefined;
  let begun = 0;
  const work = shareWork((call) => {
    seen = call;
    begun++;
    return new Promise<string>((resolve, reject) => {
      finish = resolve;
      call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true });
    });
  });
  return { work, call: () => seen as Call, finish: (value: string) => finish(value), begun: () => begun };
}

describe('work that several wait for', () => {
  it('is begun once, and tells all of them', async () => {
    const { work, finish, begun } = openWork();
    const all = [openWaiter(1), openWaiter(2), openWaiter(3)].map((each) => work.join(each));
    finish('done');
    expect(await Promise.all(all)).toEqual(['done', 'done', 'done']);
    expect(begun()).toBe(1);
  });

  it('has the time of whoever has most of it, as long as they wait', async () => {
    const { work, call, finish } = openWork();
    const [short, long] = [openWaiter(100), openWaiter(900)];
    const first = work.join(short);
    expect(call().deadline).toBe(100);
    const second = work.join(long);
    expect(call().deadline).toBe(900);
    long.leave();
    await expect(second).rejects.toThrow('left');
    expect(call().deadline).toBe(100);
    finish('done');
    expect(await first).toBe('done');
  });

  it('is not told that its time was up when the last one leaves early: that says nothing of the server', async () => {
    const { work, call } = openWork();
    const only = openWaiter(900);
    const waiting = work.join(only);
    let seen = 0;
    call().signal.addEventListener('abort', () => {
      seen = call().deadline;
    });
    only.leave();
    await expect(waiting).rejects.toThrow('left');
    expect(seen).toBe(900);
  });

  it('goes on while one of them waits, and ends when the last one has left', async () => {
    const { work, call } = openWork();
    const [one, other] = [openWaiter(1), openWaiter(2)];
    const both = [work.join(one), work.join(other)];
    one.leave();
    expect(call().signal.aborted).toBe(false);
    expect(work.isGivenUp).toBe(false);
    other.leave();
    expect(call().signal.aborted).toBe(true);
    expect(work.isGivenUp).toBe(true);
    for (const each of both) await expect(each).rejects.toThrow('left');
  });

  it('is in nobody’s way only while nobody waits for its answer', async () => {
    const { work, call, finish } = openWork();
    const looking = work.join(openWaiter(1, { background: true }));
    expect(call().background).toBe(true);
    const asking = work.join(openWaiter(2));
    expect(call().background).toBe(false);
    finish('done');
    await Promise.all([looking, asking]);
  });

  it('tells what it costs to whoever asked first', () => {
    const { work, call } = openWork();
    const [first, second] = [openWaiter(1), openWaiter(2)];
    work.join(first).catch(() => undefined);
    work.join(second).catch(() => undefined);
    call().countRequest();
    call().countRetry?.();
    expect([first.told, second.told]).toEqual([['request', 'retry'], []]);
  });

  it('is not waited for by somebody who has gone already', async () => {
    const { work } = openWork();
    const gone = openWaiter(1);
    gone.leave();
    await expect(work.join(gone)).rejects.toThrow('left');
  });
});
