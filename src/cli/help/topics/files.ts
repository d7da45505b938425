import type { Topic } from '../topic.ts';

export const files: Topic = {
  name: 'files',
  summary: 'where things live, and the environment variables',
  text: `
  accounts.yaml        Linux    $XDG_CONFIG_HOME/calmcp or ~/.config/calmcp
                       macOS    ~/Library/Application Support/calmcp
                       Windows  %APPDATA%\\calmcp
  state                Linux    $XDG_STATE_HOME/calmcp or ~/.local/state/calmcp
                       macOS    state in the folder above
                       Windows  %LOCALAPPDATA%\\calmcp\\state

In the state folder are the sealed sign-ins, of child servers their logs and
private folders, and of the daemon its record, socket and log (daemon.json,
daemon.sock, daemon.log). The key of the sign-ins is in the system's keychain,
under the service calmcp. Folders are open to you alone (0700), and so are files
(0600); where others can open them, calmcp says so and does not use them.

  CALMCP_HOME        one folder for accounts.yaml and, in state, the rest
  CALMCP_CONFIG      path of accounts.yaml; --config wins over it
  CALMCP_KEYSTORE    keychain (default), passphrase or keyfile: where the key is
  CALMCP_PASSPHRASE_FILE, CALMCP_PASSPHRASE
                     the passphrase, for CALMCP_KEYSTORE=passphrase
  CALMCP_LOG         error, warn (default), info or debug, on stderr; also --log
  CALMCP_NOW         an RFC 3339 instant that counts as now, for tries and tests
  NO_COLOR, FORCE_COLOR
                     no colours on a terminal; colours elsewhere
  BROWSER            the program that login opens pages with
  TZ                 the zone of this machine, where accounts.yaml names none

calmcp install writes into files of MCP clients, and keeps each as it was beside
it: calmcp help clients. More: docs/keystore.md in the package.
`,
};
