/** The global options that a command has no use for; a command that is not named here uses them all. */
import type { Command, Option } from 'commander';
import { CalmcpError } from '../../core/errors.ts';

const NOTHING_ASKED = ['json', 'timeZone', 'account'];

const UNUSED: Readonly<Record<string, readonly string[]>> = {
  init: NOTHING_ASKED,
  login: ['json', 'timeZone'],
  logout: ['json', 'timeZone'],
  list: ['timeZone', 'account'],
  add: ['account'],
  remove: ['timeZone', 'account'],
  test: ['timeZone'],
  status: ['timeZone'],
  restart: ['timeZone', 'account'],
  logs: ['timeZone', 'account'],
  doctor: ['timeZone'],
  mcp: NOTHING_ASKED,
  install: ['timeZone', 'account'],
  completion: [...NOTHING_ASKED, 'config'],
  help: [...NOTHING_ASKED, 'config'],
  sandbox: [...NOTHING_ASKED, 'config'],
  get: ['account'],
  demo: [...NOTHING_ASKED, 'config'],
};

export const isUnused = (command: Command, option: Option): boolean =>
  UNUSED[command.name()]?.includes(option.attributeName()) === true;

/** An option that is taken and does nothing would be believed. @throws CalmcpError INPUT_INVALID */
export function refuseUnused(command: Command): void {
  const given = command.optsWithGlobals();
  const unused = (UNUSED[command.name()] ?? []).find((option) => given[option] !== undefined);
  if (unused === undefined) return;
  const flag = unused.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new CalmcpError('INPUT_INVALID', `${command.name()} has no use for --${flag}`, { hint: 'leave it out' });
}
