import { createHash } from 'node:crypto';
import { Temporal } from 'temporal-polyfill';
import { type Answer, type Incoming, json } from './http.ts';

/**
 * A community's calendar as a feed: a series in a zone of its own making, with a moved evening and one left out, a date
 * and a time that floats.
 * @param weekOf a Monday, YYYY-MM-DD
 */
export function createFeed(weekOf: string): string {
  const day = (offset: number): string =>
    Temporal.PlainDate.from(weekOf).add({ days: offset }).toString().replaceAll('-', '');
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//calmcp//sandbox//EN',
    'X-WR-CALNAME:Community',
    'X-WR-TIMEZONE:Europe/Amsterdam',
    'BEGIN:VTIMEZONE',
    'TZID:West-Europe',
    'BEGIN:STANDARD',
    'DTSTART:19961027T030000',
    'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU',
    'TZOFFSETFROM:+0200',
    'TZOFFSETTO:+0100',
    'END:STANDARD',
    'BEGIN:DAYLIGHT',
    'DTSTART:19810329T020000',
    'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU',
    'TZOFFSETFROM:+0100',
    'TZOFFSETTO:+0200',
    'END:DAYLIGHT',
    'END:VTIMEZONE',
    'BEGIN:VEVENT',
    'UID:meetup@community.example',
    `DTSTAMP:${day(-30)}T120000Z`,
    `DTSTART;TZID=West-Europe:${day(-26)}T190000`,
    `DTEND;TZID=West-Europe:${day(-26)}T210000`,
    'RRULE:FREQ=WEEKLY;BYDAY=WE',
    `EXDATE;TZID=West-Europe:${day(-5)}T190000`,
    'SUMMARY:Type system meetup',
    'LOCATION:Library\\, second floor',
    'END:VEVENT',
    'BEGIN:VEVENT',
    'UID:meetup@community.example',
    `RECURRENCE-ID;TZID=West-Europe:${day(9)}T190000`,
    `DTSTAMP:${day(-2)}T120000Z`,
    `DTSTART;TZID=West-Europe:${day(10)}T193000`,
    `DTEND;TZID=West-Europe:${day(10)}T213000`,
    'SUMMARY:Type system meetup (moved to Thursday)',
    'END:VEVENT',
    'BEGIN:VEVENT',
    'UID:fair@community.example',
    `DTSTAMP:${day(-30)}T120000Z`,
    `DTSTART;VALUE=DATE:${day(5)}`,
    `DTEND;VALUE=DATE:${day(7)}`,
    'SUMMARY:Maker fair',
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
    'BEGIN:VEVENT',
    'UID:walk@community.example',
    `DTSTAMP:${day(-30)}T120000Z`,
    `DTSTART:${day(6)}T100000`,
    'DURATION:PT2H',
    'SUMMARY:Sunday walk',
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ];
  return lines.join('\r\n');
}

/** `GET /feeds/community.ics`, with an ETag and an answer to If-None-Match (RFC 9110 13.1.2). */
export function answerFeed({ method, path, headers }: Incoming, feed: string): Answer {
  if (path !== '/feeds/community.ics') return { ...json({ error: 'no such feed' }), status: 404 };
  if (method !== 'GET') return { ...json({ error: 'method not allowed' }), status: 405 };
  const etag = `"${createHash('sha256').update(feed).digest('hex').slice(0, 16)}"`;
  if (headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' };
  return { status: 200, headers: { 'content-type': 'text/calendar; charset=utf-8', etag }, body: feed };
}
