/** The names that Google Calendar shows for the colours of events, by their ids: https://developers.google.com/workspace/calendar/api/v3/reference/colors */
const NAMES: Readonly<Record<string, string>> = {
  1: 'lavender',
  2: 'sage',
  3: 'grape',
  4: 'flamingo',
  5: 'banana',
  6: 'tangerine',
  7: 'peacock',
  8: 'graphite',
  9: 'blueberry',
  10: 'basil',
  11: 'tomato',
};

export const COLORS: readonly string[] = Object.values(NAMES);

export const colorOf = (id: string | null | undefined): string | undefined => NAMES[id ?? ''];

export const colorIdOf = (name: string): string | undefined =>
  Object.keys(NAMES).find((id) => NAMES[id] === name.trim().toLowerCase());
