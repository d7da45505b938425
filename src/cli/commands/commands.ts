/** All commands but `questions.ts`, with all that they need. */
import type { AddCommand } from '../command.ts';
import { addAccounts } from './accounts.ts';
import { addChildren } from './children.ts';
import { addCompletion } from './completion.ts';
import { addDaemon } from './daemon.ts';
import { addDemo } from './demo.ts';
import { addDoctor } from './doctor.ts';
import { addEvent } from './event.ts';
import { addHelp } from './help.ts';
import { addInit } from './init.ts';
import { addInstall } from './install.ts';
import { addLogin, addLogout } from './login.ts';
import { addMcp } from './mcp.ts';
import { addReport } from './report.ts';
import { addSandbox } from './sandbox.ts';

export const commands: Readonly<Record<string, AddCommand>> = {
  init: addInit,
  accounts: addAccounts,
  login: addLogin,
  logout: addLogout,
  doctor: addDoctor,
  report: addReport,
  event: addEvent,
  mcp: addMcp,
  install: addInstall,
  daemon: addDaemon,
  children: addChildren,
  completion: addCompletion,
  help: addHelp,
  demo: addDemo,
  sandbox: addSandbox,
};
