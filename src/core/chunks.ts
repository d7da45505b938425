/** What is more than a vendor takes at once, in parts. */

export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** A stretch of time in epoch milliseconds, `[start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A stretch widened to whole units, cut into parts no longer than `longest`; all in milliseconds. */
export function spansOf(range: Span, { unit, longest }: { readonly unit: number; readonly longest: number }): Span[] {
  const start = Math.floor(range.start / unit) * unit;
  const end = Math.ceil(range.end / unit) * unit;
  return Array.from({ length: Math.ceil((end - start) / longest) }, (_, index) => ({
    start: start + index * longest,
    end: Math.min(end, start + (index + 1) * longest),
  }));
}
