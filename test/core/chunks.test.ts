import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunksOf, spansOf } from '../../src/core/chunks.ts';

test('W17: nothing is lost in parts, and none is too large', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 9 }), (items, size) => {
      const parts = chunksOf(items, size);
      expect(parts.flat()).toEqual(items);
      expect(parts.every(({ length }) => length > 0 && length <= size)).toBe(true);
    }),
  );
});

test('W09: the parts of a stretch touch, cover it in whole units, and none is too long', () => {
  const time = fc.integer({ min: -10_000, max: 10_000 });
  fc.assert(
    fc.property(time, fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: 1, max: 9 }), (start, length, unit) => {
      const longest = unit * 7;
      const range = { start, end: start + length };
      const parts = spansOf(range, { unit, longest });
      expect(parts[0]?.start).toBe(Math.floor(range.start / unit) * unit);
      expect(parts.at(-1)?.end).toBe(Math.ceil(range.end / unit) * unit);
      for (const [index, part] of parts.entries()) {
        expect(part.end - part.start).toBeGreaterThan(0);
        expect(part.end - part.start).toBeLessThanOrEqual(longest);
        if (index > 0) expect(part.start).toBe(parts[index - 1]?.end);
      }
    }),
  );
});
