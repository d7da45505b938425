/** `calmcp mcp` as clients start it, understood without a parser of command lines, which takes longer to load than all the rest. */

export interface McpChoice {
  readonly config?: string | undefined;
  readonly log?: string | undefined;
  readonly readOnly?: boolean | undefined;
  /** `undefined`: all. */
  readonly tools?: readonly string[] | undefined;
}

/** What `--tools` names. */
export const toolNames = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

const WITH_VALUE = { '--config': 'config', '--log': 'log', '--tools': 'tools' } as const;

/** @returns `undefined` for everything that is not plainly that: the parser knows, and has the words for what is wrong */
export function plainMcp(argv: readonly string[]): McpChoice | undefined {
  const found: { config?: string; log?: string; tools?: string; readOnly?: true; command?: true } = {};
  const words = argv.values();
  for (const word of words) {
    if (word === 'mcp' && found.command === undefined) found.command = true;
    else if (word === '--read-only') found.readOnly = true;
    else if (word in WITH_VALUE) {
      const name = WITH_VALUE[word as keyof typeof WITH_VALUE];
      const value: string = words.next().value ?? '';
      if (value === '' || value.startsWith('-') || found[name] !== undefined) return undefined;
      found[name] = value;
    } else return undefined;
  }
  const { command, tools, ...choice } = found;
  if (command === undefined) return undefined;
  return { ...choice, ...(tools === undefined ? {} : { tools: toolNames(tools) }) };
}
