/** Who is next, where several things there is not enough of are needed at the same time. */
import { setMaxListeners } from 'node:events';
import type { Call } from '../core/call.ts';

export interface Need {
  /** Slots that it takes while it runs. */
  readonly weight: number;
  /** Requests that the service counts it as. */
  readonly cost: number;
  /** Nobody waits for it. */
  readonly background: boolean;
  /** It has been let in before, and is made once more. */
  readonly again: boolean;
}

/** One thing that there is not enough of. It decides by what holds at the moment when it is asked, and starts nothing. */
export interface Supply {
  /**
   * Milliseconds until `need` can be met as far as this is concerned; 0: now, Infinity: when somebody gives something back.
   * @param ahead cost of all that is served before it
   * @param leftMs time until its deadline
   * @throws CalmcpError what is told instead of waiting
   */
  waitFor(need: Need, ahead: number, leftMs: number): number;
  /** @returns gives back what was taken */
  take(need: Need): () => void;
}

/** What a place in the line needs of a {@link Call}. */
export type Waiting = Pick<Call, 'signal' | 'deadline'>;

export interface WaitingLine {
  /**
   * Waits until all of `supplies` can be had at the same time, and takes them. Questions go before background work; within
   * either, whoever came first has the first claim on each supply, so that much is not held up for ever by little.
   * Nothing is held while it waits: an account that was asked to pause costs the others of its registration nothing.
   * @returns gives everything back
   * @throws the signal's reason when it aborts; CalmcpError what a supply says instead of waiting
   */
  enter(need: Need, supplies: readonly Supply[], call: Waiting): Promise<() => void>;
  /** Looks again: what supplies say has changed. */
  look(): void;
}

interface Place {
  readonly need: Need;
  readonly supplies: readonly Supply[];
  readonly call: Waiting;
  readonly admit: (giveBack: () => void) => void;
  readonly refuse: (thrown: unknown) => void;
}

export function createWaitingLine(): WaitingLine {
  let places: Place[] = [];
  let timer: NodeJS.Timeout | undefined;

  function leave(place: Place): void {
    places = places.filter((other) => other !== place);
  }

  function takeAll({ need, supplies }: Place): () => void {
    const given = supplies.map((supply) => supply.take(need));
    return () => {
      for (const giveBack of given.splice(0)) giveBack();
      look();
    };
  }

  function look(): void {
    clearTimeout(timer);
    const short = new Set<Supply>();
    const ahead = new Map<Supply, number>();
    let soonest = Number.POSITIVE_INFINITY;
    const inOrder = [...places.filter(({ need }) => !need.background), ...places.filter(({ need }) => need.background)];
    for (const place of inOrder) {
      const { need, supplies, call } = place;
      try {
        const left = call.deadline - performance.now();
        const waits = supplies.map((supply) => supply.waitFor(need, ahead.get(supply) ?? 0, left));
        const longest = Math.max(0, ...waits);
        if (longest === 0 && !supplies.some((supply) => short.has(supply))) {
          leave(place);
          place.admit(takeAll(place));
          continue;
        }
        for (const [index, supply] of supplies.entries()) {
          // What it could have is for others, as long as it waits for something else.
          if ((waits[index] ?? 0) === 0) continue;
          short.add(supply);
          ahead.set(supply, (ahead.get(supply) ?? 0) + need.cost);
        }
        if (longest > 0) soonest = Math.min(soonest, longest);
      } catch (thrown) {
        leave(place);
        place.refuse(thrown);
      }
    }
    // A timer may fire a little before its time; then it is set again.
    if (soonest !== Number.POSITIVE_INFINITY) timer = setTimeout(look, Math.max(1, Math.ceil(soonest)));
  }

  return {
    enter: (need, supplies, call) =>
      new Promise((resolve, reject) => {
        const { signal } = call;
        signal.throwIfAborted();
        const abort = (): void => {
          leave(place);
          reject(signal.reason);
          look();
        };
        const done = (): void => signal.removeEventListener('abort', abort);
        const place: Place = {
          need,
          supplies,
          call,
          admit: (giveBack) => {
            done();
            resolve(giveBack);
          },
          refuse: (thrown) => {
            done();
            reject(thrown);
          },
        };
        // A question about many calendars waits for many things: Node would call that a leak, on stderr.
        setMaxListeners(Number.POSITIVE_INFINITY, signal);
        signal.addEventListener('abort', abort, { once: true });
        places.push(place);
        look();
      }),
    look,
  };
}
