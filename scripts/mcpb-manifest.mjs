// The manifest of the bundle: https://github.com/modelcontextprotocol/mcpb/blob/main/MANIFEST.md

/** Of the services that accounts may be at: calmcp itself sends nothing anywhere else. */
const PRIVACY_POLICIES = ['https://privacy.microsoft.com/privacystatement', 'https://policies.google.com/privacy'];

const LONG_DESCRIPTION = `One merged agenda of several Microsoft 365 tenants, Google accounts, iCalendar feeds and files: each meeting once, free time over all of them, and a plain word about every account that could not be read.

The accounts are those of your accounts.yaml, which \`calmcp init\` writes. Tokens stay sealed on this machine.`;

const USER_CONFIG = {
  accounts_file: {
    type: 'file',
    title: 'accounts.yaml',
    description: 'Your accounts. Leave it empty for the file that "calmcp init" writes.',
    required: false,
  },
  read_only: {
    type: 'boolean',
    title: 'Read only',
    description: 'No tool that creates, changes or deletes events.',
    required: false,
    default: false,
  },
};

/**
 * @param packageJson of calmcp
 * @param offered what its server answers: `tools`, `prompts` with their `text`, and whether it `hasPrompts` at all
 */
export function manifestOf(packageJson, { tools, prompts, hasPrompts }) {
  const { name, version, description, license, engines } = packageJson;
  return {
    manifest_version: '0.3',
    name,
    display_name: name,
    version,
    description,
    long_description: LONG_DESCRIPTION,
    author: { name: packageJson.author ?? `the ${name} contributors` },
    license,
    keywords: ['calendar', 'agenda', 'free/busy', 'Microsoft 365', 'Google Calendar', 'iCalendar'],
    privacy_policies: PRIVACY_POLICIES,
    server: {
      type: 'node',
      entry_point: 'start.mjs',
      mcp_config: {
        command: 'node',
        args: [
          // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the desktop program fills these in.
          '${__dirname}/start.mjs',
          '--config=${user_config.accounts_file}',
          '--read-only=${user_config.read_only}',
          // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above.
        ],
      },
    },
    tools: tools.map((tool) => ({ name: tool.name, description: tool.description })),
    ...(hasPrompts ? { prompts, prompts_generated: true } : {}),
    compatibility: { platforms: ['darwin', 'win32', 'linux'], runtimes: { node: engines.node } },
    user_config: USER_CONFIG,
  };
}
