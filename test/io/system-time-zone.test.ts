import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { likelyTimeZone, systemTimeZone } from '../../src/io/system-time-zone.ts';

test('the likely zone is that of TZ, else of the system’s link, and UTC has one name', () => {
  expect(likelyTimeZone({ TZ: 'Europe/Amsterdam' })).toBe('Europe/Amsterdam');
  for (const TZ of ['UTC', 'Etc/UTC', 'Zulu', 'GMT']) expect(likelyTimeZone({ TZ })).toBe('UTC');
  const likely = likelyTimeZone({ TZ: '' });
  // Where there is no such link, Intl is asked.
  if (likely !== undefined) expect(likely).toMatch(/^[\w+/-]+$/);
});

test.each(['Europe/Amsterdam', 'Etc/UTC', 'Asia/Calcutta', 'Asia/Kolkata', 'Mars/Base', ':Europe/Paris', 'EST5EDT'])(
  'with TZ=%s it is what the system says, or one that the system never says: it cannot stand for another zone',
  (TZ) => {
    const script = 'console.log(Intl.DateTimeFormat().resolvedOptions().timeZone)';
    const said = execFileSync(process.execPath, ['-e', script], { env: { TZ }, encoding: 'utf8' }).trim();
    const likely = likelyTimeZone({ TZ }) ?? said;
    if (likely === said) return;
    // Another name of the same zone, or of none.
    const canonical = (() => {
      try {
        return new Intl.DateTimeFormat('en', { timeZone: likely }).resolvedOptions().timeZone;
      } catch {
        return 'none';
      }
    })();
    expect([said, 'none']).toContain(canonical);
  },
);

test('the system’s zone is one that Intl knows', () => {
  expect(() => new Intl.DateTimeFormat('en', { timeZone: systemTimeZone() })).not.toThrow();
});
