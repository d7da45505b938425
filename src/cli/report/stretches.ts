/** What all forms of a report are made of: stretches of time, the busy ones and the free ones, in order. */
import type { FreeBusy } from '../../operations/get-free-busy.ts';

export type Kind = FreeBusy['blocks'][number]['busy'] | 'free';

/** How people call it, in every form. */
export const KIND_WORDS: Readonly<Record<Kind, string>> = {
  free: 'free',
  tentative: 'tentative',
  busy: 'busy',
  oof: 'out of office',
  unknown: 'unknown',
};

/** No two overlap. In epoch milliseconds, `[start, end)`. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly kind: Kind;
  /** Who makes it so, as far as the answer may name them. */
  readonly accounts: readonly string[];
}

/** The answer must have been asked for in full detail: its times then are whole. */
export function stretchesOf({ blocks, free }: Pick<FreeBusy, 'blocks' | 'free'>): Stretch[] {
  const at = (span: { readonly start: string; readonly end: string }): { start: number; end: number } => ({
    start: Date.parse(span.start),
    end: Date.parse(span.end),
  });
  return [
    ...blocks.map(({ busy, accounts = [], ...span }) => ({ ...at(span), kind: busy, accounts })),
    ...free.map((span) => ({ ...at(span), kind: 'free' as const, accounts: [] })),
  ].sort((a, b) => a.start - b.start || a.end - b.end);
}
