import type { Topic } from '../topic.ts';

export const clients: Topic = {
  name: 'clients',
  summary: 'calmcp in Claude Desktop, Claude Code, VS Code and Cursor',
  text: `
  calmcp install claude-desktop       writes the entry, after showing it
  calmcp install vscode --print       prints it, for pasting
  calmcp install cursor --remove      takes it out again

  claude-desktop  claude_desktop_config.json, in mcpServers
                  Linux    ~/.config/Claude
                  macOS    ~/Library/Application Support/Claude
                  Windows  the folder of its package, else %APPDATA%\\Claude
  claude-code     ~/.claude.json, in mcpServers (user scope: all projects);
                  with CLAUDE_CONFIG_DIR, .claude.json in that folder
  vscode          mcp.json of the user profile, in servers
                  Linux    ~/.config/Code/User
                  macOS    ~/Library/Application Support/Code/User
                  Windows  %APPDATA%\\Code\\User
                  (Code - Insiders, where that alone is installed)
  cursor          ~/.cursor/mcp.json, in mcpServers

The entry starts this very calmcp with this very Node.js, by their full paths:
no download, no npx. When either moves (another version of Node.js, say), run
install again; it changes its own entry and nothing else. The file as it was
is kept beside it, and a file that is not valid is left alone.

  --read-only       no tools that write
  --tools a,b       these tools alone
  --name work       an entry of another name, beside the first one
  --config PATH     another accounts.yaml for this client

These stay in the entry when install is run again, and it says so.
--no-read-only, --tools all and --no-config take them off.

CALMCP_HOME, CALMCP_CONFIG and CALMCP_KEYSTORE go into the entry when they are
set, and stay there when install is run again where they are not; --remove
takes them off. A passphrase never goes in: with CALMCP_KEYSTORE=passphrase, set
CALMCP_PASSPHRASE_FILE where the client is started.

Any other client: have it run  calmcp mcp  on stdin and stdout.
More: docs/clients in the package.
`,
};
