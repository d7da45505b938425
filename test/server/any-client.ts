/** Clients of every age and era, connected to the built program over stdio. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { builtEnvironment } from '../harness.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');
const installed = join(import.meta.dirname, '../clients/node_modules');

export interface ToolDescription {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: object;
  readonly outputSchema?: object;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

export interface ToolResult {
  readonly isError?: boolean;
  readonly content: readonly { readonly type: string; readonly text: string }[];
  readonly structuredContent?: Readonly<Record<string, unknown>>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: { readonly progress: number; readonly total?: number | undefined }) => void;
}

interface Contents {
  readonly contents: readonly { readonly uri: string; readonly mimeType?: string; readonly text: string }[];
}

export interface PromptDescription {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly arguments?: readonly { readonly name: string; readonly required?: boolean }[];
}

interface PromptText {
  readonly messages: readonly {
    readonly role: string;
    readonly content: { readonly type: string; readonly text: string };
  }[];
}

/** What all of them can do; {@link AnyClient} says the one thing that they say differently. */
interface Common {
  connect(transport: unknown): Promise<void>;
  getServerVersion(): { readonly name: string } | undefined;
  getServerCapabilities(): Readonly<Record<string, unknown>> | undefined;
  getInstructions(): string | undefined;
  listTools(): Promise<{ readonly tools: readonly ToolDescription[] }>;
  listPrompts(): Promise<{ readonly prompts: readonly PromptDescription[] }>;
  getPrompt(request: { name: string; arguments: Record<string, string> }): Promise<PromptText>;
  listResources(): Promise<{ readonly resources: readonly { readonly uri: string; readonly name: string }[] }>;
  listResourceTemplates(): Promise<{ readonly resourceTemplates: readonly { readonly uriTemplate: string }[] }>;
  readResource(request: { uri: string }): Promise<Contents>;
  close(): Promise<void>;
}

export interface AnyClient extends Omit<Common, 'connect'> {
  call(name: string, input?: object, options?: CallOptions): Promise<ToolResult>;
  readonly pid: number;
}

const info = { name: 'calmcp-test', version: '0' };

function serverIn(folder: string): ConstructorParameters<typeof StdioClientTransport>[0] {
  // Whatever is logged, stdout belongs to the protocol.
  const env = { ...builtEnvironment(folder), CALMCP_LOG: 'debug' };
  return { command: process.execPath, args: [bin, 'mcp'], env, stderr: 'ignore' };
}

type Connect = (folder: string) => Promise<AnyClient>;

/** @param version of `@modelcontextprotocol/sdk`, as test/clients/package.json names it */
function sdk(version: string): Connect {
  return async (folder) => {
    const from = async (path: string): Promise<Record<string, new (...of: unknown[]) => never>> =>
      await import(pathToFileURL(join(installed, `mcp-sdk-${version}`, 'dist/esm/client', path)).href);
    const [{ Client: Old }, { StdioClientTransport: Pipe }] = await Promise.all([from('index.js'), from('stdio.js')]);
    if (Old === undefined || Pipe === undefined) throw new TypeError(version);
    const client: Common & {
      callTool(request: object, schema: undefined, options?: CallOptions): Promise<ToolResult>;
    } = new Old(info);
    const transport: { readonly pid?: number; readonly _process?: { readonly pid: number } } = new Pipe(
      serverIn(folder),
    );
    await client.connect(transport);
    return Object.assign(client, {
      call: (name: string, input: object = {}, options?: CallOptions) =>
        client.callTool({ name, arguments: input }, undefined, options),
      // 1.12 has no `pid`, and loses its process as soon as it closes.
      pid: transport.pid ?? transport._process?.pid ?? 0,
    });
  };
}

function v2(mode: 'legacy' | { pin: string }): Connect {
  return async (folder) => {
    const client = new Client(info, { versionNegotiation: { mode } });
    const transport = new StdioClientTransport(serverIn(folder));
    await client.connect(transport);
    return Object.assign(client as unknown as Common, {
      call: async (name: string, input: object = {}, options?: CallOptions) =>
        (await client.callTool({ name, arguments: { ...input } }, options)) as unknown as ToolResult,
      pid: transport.pid ?? 0,
    });
  };
}

export const CLIENTS: Readonly<Record<string, Connect>> = {
  'sdk 1.12': sdk('1.12'),
  'sdk 1.20': sdk('1.20'),
  'sdk 1.25': sdk('1.25'),
  'sdk 1.32': sdk('1.32'),
  'v2 in the 2025 era': v2('legacy'),
  'v2 in the 2026-07-28 era': v2({ pin: '2026-07-28' }),
};

/** Connected, and acquainted with the tools: SDK clients check what a tool answers against the schema they have listed. */
export async function connectClient(name: string, folder: string): Promise<AnyClient> {
  const connect = CLIENTS[name];
  if (connect === undefined) throw new TypeError(name);
  const client = await connect(folder);
  await client.listTools();
  return client;
}
