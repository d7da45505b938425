import { Temporal } from 'temporal-polyfill';
import { fieldsOf, invalid, type JsonObject } from './google-body.ts';
import type { GoogleMoment } from './google-data.ts';
import { parseRule } from './google-recurrence.ts';
import { googleRefusal } from './google-refusal.ts';
import { instantOfMoment, isZone } from './google-time.ts';

export interface EventTimes {
  readonly start: GoogleMoment;
  readonly end: GoogleMoment;
  readonly recurrence?: readonly string[];
}

/**
 * Start, end and recurrence of a resource.
 * @param zone of the calendar: of a time that comes with an offset and no zone
 * @throws the 400 that Google has for it; the words were seen in reports (openclaw/gogcli#216, t4t5/caldir#61)
 */
export function readTimes(body: JsonObject, zone: string): EventTimes {
  const fields = fieldsOf(body);
  const lines = fields.list('recurrence') ?? [];
  const [start, end] = [fields.object('start'), fields.object('end')];
  if (end === undefined) throw required('Missing end time.');
  if (start === undefined) throw unlike();
  const [from, to] = [readMoment(start, 'start', zone), readMoment(end, 'end', zone)];
  if ('date' in from !== 'date' in to) throw unlike();
  if (lines.length > 0 && 'instant' in from) {
    // "For recurring events this field is required and specifies the time zone in which the recurrence is expanded."
    for (const [name, moment] of Object.entries({ start, end })) {
      if (fieldsOf(moment).text('timeZone') === undefined)
        throw required(`Missing time zone definition for ${name} time.`);
    }
  }
  const length = instantOfMoment(to, zone) - instantOfMoment(from, zone);
  if (length < 0 || ('date' in from && length === 0)) throw timeRangeEmpty();
  return { start: from, end: to, ...(lines.length === 0 ? {} : { recurrence: readRecurrence(lines, from) }) };
}

function readMoment(value: JsonObject, name: 'start' | 'end', zone: string): GoogleMoment {
  const fields = fieldsOf(value, `${name}.`);
  const [date, dateTime, timeZone] = [fields.text('date'), fields.text('dateTime'), fields.text('timeZone')];
  if (timeZone !== undefined && !isZone(timeZone)) throw invalid(`Invalid time zone definition for ${name} time.`);
  if (date !== undefined && dateTime === undefined) return { date: parsed(date, readDate) };
  if (date !== undefined || dateTime === undefined) throw invalid(`Invalid ${name} time.`);
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/i.exec(dateTime);
  const [, local, offset] = match ?? [];
  if (local === undefined) throw malformed(dateTime);
  if (offset === undefined && timeZone === undefined) {
    throw required(`Missing time zone definition for ${name} time.`);
  }
  const own = timeZone ?? zone;
  const instant = parsed(dateTime, () =>
    offset === undefined
      ? Temporal.PlainDateTime.from(local, { overflow: 'reject' }).toZonedDateTime(own).toInstant()
      : Temporal.Instant.from(`${local}${offset}`),
  );
  return { instant: instant.toString(), timeZone: own };

  function parsed<Value>(text: string, parse: (text: string) => Value): Value {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof RangeError) throw malformed(text);
      throw error;
    }
  }
}

function readDate(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) throw new RangeError(text);
  return Temporal.PlainDate.from(text, { overflow: 'reject' }).toString();
}

/**
 * UNTIL has the type of the start, in UTC where that is a time: RFC 5545 3.3.10 says MUST. Seen refused: a time without
 * Z (google/googleapis.dart#223). Google itself lets some of the rest pass; whoever keeps to the RFC does not notice.
 */
function readRecurrence(lines: readonly unknown[], start: GoogleMoment): string[] {
  const texts = lines.map((line) => {
    if (typeof line !== 'string') throw invalidRule();
    return line;
  });
  try {
    const { rule } = parseRule(texts);
    if (rule?.until !== undefined && rule.untilIsDate !== 'date' in start) throw invalidRule();
  } catch (error) {
    if (error instanceof RangeError) throw invalidRule();
    throw error;
  }
  return texts;
}

function unlike() {
  return invalid('Start and end times must either both be date or both be dateTime.');
}

function invalidRule() {
  return invalid('Invalid recurrence rule.');
}

function malformed(text: string) {
  return invalid(`Invalid value for: Invalid format: "${text}" is malformed`);
}

function required(message: string) {
  return googleRefusal(400, message, { reason: 'required' });
}

function timeRangeEmpty() {
  return googleRefusal(400, 'The specified time range is empty.', {
    domain: 'calendar',
    reason: 'timeRangeEmpty',
    location: 'timeMax',
    locationType: 'parameter',
  });
}
