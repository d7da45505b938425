/** Days of the calendar without a zone, and without Temporal: what puts an answer on a screen loads nothing else. */

const DAY = 86_400_000;

/** Midnight in UTC. @throws RangeError for what is no day of the calendar */
function midnightOf(date: string): number {
  const found = new Date(`${date}T00:00:00Z`);
  // 30 February is 2 March to Date.
  if (!found.toISOString().startsWith(date)) throw new RangeError('no day of the calendar');
  return found.getTime();
}

/** Day of the week of a civil date: 0 is Monday. */
export function weekdayOf(date: string): number {
  return (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
}

/** The civil date `days` later; negative for earlier. */
export function addDays(date: string, days: number): string {
  return new Date(midnightOf(date) + days * DAY).toISOString().slice(0, -14);
}
