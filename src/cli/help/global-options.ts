/** The global options that a command has no use for; a command that is not named here uses them all. */
import type { Command, Option } from 'commander';
import { CalmcpError } from '../../core/errors.ts';

const NOTHING_ASKED = ['json', 'timeZone', 'account'];
/** Those that ask no question of all accounts never go through the daemon. */
const ALONE = ['daemon', 'verbose'];

const UNUSED: Readonly<Record<string, readonly string[]>> = {
  init: [...NOTHING_ASKED, ...ALONE],
  login: ['json', 'timeZone', ...ALONE],
  logout: ['json', 'timeZone', ...ALONE],
  list: ['timeZone', 'account', ...ALONE],
  add: ['account', ...ALONE],
  remove: ['timeZone', 'account', ...ALONE],
  test: ['timeZone', ...ALONE],
  status: ['timeZone'],
  restart: ['timeZone', 'account', ...ALONE],
  logs: ['timeZone', 'account', ...ALONE],
  doctor: ['timeZone', ...ALONE],
  mcp: [...NOTHING_ASKED, 'verbose'],
  install: ['timeZone', 'account', ...ALONE],
  uninstall: ['timeZone', 'account', ...ALONE],
  run: [...NOTHING_ASKED, ...ALONE],
  start: ['timeZone', 'account', ...ALONE],
  stop: ['timeZone', 'account', ...ALONE],
  completion: [...NOTHING_ASKED, 'config', ...ALONE],
  help: [...NOTHING_ASKED, 'config', ...ALONE],
  sandbox: [...NOTHING_ASKED, 'config', ...ALONE],
  get: ['account'],
  demo: [...NOTHING_ASKED, 'config', ...ALONE],
};

export const isUnused = (command: Command, option: Option): boolean =>
  UNUSED[command.name()]?.includes(option.attributeName()) === true;

/** An option that is taken and does nothing would be believed. @throws CalmcpError INPUT_INVALID */
export function refuseUnused(command: Command): void {
  const isGiven = (option: string): boolean => command.getOptionValueSourceWithGlobals(option) === 'cli';
  const unused = (UNUSED[command.name()] ?? []).find(isGiven);
  if (unused === undefined) return;
  const flag = unused === 'daemon' ? 'no-daemon' : unused.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new CalmcpError('INPUT_INVALID', `${command.name()} has no use for --${flag}`, { hint: 'leave it out' });
}
