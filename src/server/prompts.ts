/** Ready-made requests. Nothing of an event is ever in them. */
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { neutralize } from '../core/text.ts';

interface Prompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly args: z.ZodObject;
  /** Tools that it tells to call: without them there is no use for it. */
  readonly needs: readonly string[];
  /** @param said one line each, without anything invisible */
  readonly text: (said: Readonly<Record<string, string | undefined>>) => string;
}

const said = (description: string) => z.string().max(200).optional().describe(description);

const UNKNOWN = 'If an account could not be read, say so first, with its hint: its time is unknown, not free.';

const PROMPTS: readonly Prompt[] = [
  {
    name: 'daily_brief',
    title: 'Daily brief',
    description: 'What a day holds in all calendars, and what needs attention.',
    needs: ['list_events', 'find_conflicts'],
    args: z.object({ day: said('Such as today, tomorrow, friday or 2026-12-01; default: today.') }),
    text: ({ day = 'today' }) =>
      `Brief me on ${day}. Call list_events and find_conflicts with range "${day}". ${UNKNOWN} ` +
      'Then: the meetings in order with times, places and links to join; double bookings; invitations I have not answered; ' +
      'and the longest stretch of free time. Keep it under 200 words.',
  },
  {
    name: 'plan_meeting',
    title: 'Plan a meeting',
    description: 'Finds a time for a meeting and creates it when I agree.',
    needs: ['find_free_time', 'create_event'],
    args: z.object({
      what: said('What the meeting is about.'),
      who: said('E-mail addresses, separated by commas.'),
      minutes: said('How long; default: 30.'),
      range: said('When; default: next 7 days.'),
      account: said('Account to create it in.'),
    }),
    text: ({ what = 'a meeting', who, minutes = '30', range = 'next 7 days', account }) =>
      `Plan ${what}, ${minutes} minutes, ${range}${who === undefined ? '' : `, with ${who}`}. ` +
      `Call find_free_time with durationMinutes ${minutes} and range "${range}"${who === undefined ? '' : ' and the people'}. ${UNKNOWN} ` +
      'Offer me three slots and wait for my choice. ' +
      `Then call create_event with dryRun: true${account === undefined ? ' in the account that I name' : ` in account ${account}`}, ` +
      'show me the conflicts and who would be e-mailed, and create it only when I agree.',
  },
  {
    name: 'week_review',
    title: 'Week review',
    description: 'What a week came to: load, double bookings, unanswered invitations.',
    needs: ['list_events', 'find_conflicts', 'get_free_busy'],
    args: z.object({ week: said('Such as this week, next week or 2026-W49; default: this week.') }),
    text: ({ week = 'this week' }) =>
      `Review ${week} across all my calendars. Call list_events, find_conflicts and get_free_busy with range "${week}". ${UNKNOWN} ` +
      'Then: hours of meetings per day and per account; double bookings with a proposal for each; invitations without an ' +
      'answer; and days without an hour to myself. Propose changes, and change nothing before I agree.',
  },
];

/** Those whose tools are served. */
export function promptsOf(tools: ReadonlySet<string>): readonly Prompt[] {
  return PROMPTS.filter(({ needs }) => needs.every((name) => tools.has(name)));
}

export function registerPrompts(server: McpServer, prompts: readonly Prompt[]): void {
  for (const { name, title, description, args, text } of prompts)
    server.registerPrompt(name, { title, description, argsSchema: args }, (given) => {
      const lines = Object.entries(given as Record<string, string | undefined>).flatMap(([key, value]) => {
        const line = value === undefined ? '' : neutralize(value).replaceAll('"', '');
        return line === '' ? [] : [[key, line] as const];
      });
      return { messages: [{ role: 'user', content: { type: 'text', text: text(Object.fromEntries(lines)) } }] };
    });
}
