import type { Topic } from '../topic.ts';

export const exitStatus: Topic = {
  name: 'exit-status',
  summary: 'what a script can go by',
  text: `
  0    a complete answer, or done
  3    an answer was printed, but an account or a part of one is unknown
  64   INPUT_INVALID, ACCOUNT_UNKNOWN: the command line was not understood
  66   NOT_FOUND: what was asked for is not there
  69   UNAVAILABLE: a server or the keychain could not be reached in time
  70   INTERNAL: a mistake in calmcp; --log debug says more
  74   what was printed could not be written (a full disk, say)
  75   RATE_LIMITED, CONFLICT: wait, or look again: it changed meanwhile
  76   BAD_RESPONSE: a server answered with something it should not
  77   AUTH_REQUIRED, FORBIDDEN, READ_ONLY: sign in, or it may not do this
  78   CONFIG_INVALID: accounts.yaml, environment or a client's file is wrong
  130  ended by Ctrl-C

Of several accounts, one that answers makes it 3; an error status says that
none did. Errors are one message on stderr, with what to do next; stdout is
empty then.

doctor and accounts test go by the same rule; children exits with 3 when a
child server needs attention, daemon status where none runs. More:
docs/exit-status.md in the package.
`,
};
