// An MCP client that does no more than JSON-RPC, line by line: what it costs itself is next to nothing.
import { connect } from 'node:net';

const PARAMS = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '0' } };

/**
 * @param input where answers come from @param output where requests go to
 * @param answers `script`: as calmcp's own commands ask the daemon
 */
export async function openLineSession(input, output, { answers } = {}) {
  const waiting = new Map();
  let pieces = [];
  let last = 0;
  input.on('data', (piece) => {
    let from = 0;
    for (let to = piece.indexOf(10); to >= 0; to = piece.indexOf(10, from)) {
      const line = Buffer.concat([...pieces, piece.subarray(from, to)]);
      pieces = [];
      from = to + 1;
      const message = JSON.parse(line.toString('utf8'));
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    }
    if (from < piece.length) pieces.push(piece.subarray(from));
  });
  const send = (message) => output.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  async function request(method, params) {
    const id = ++last;
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    send({ id, method, params });
    const { result, error } = await answer;
    if (result === undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }
  if (answers !== undefined) send({ method: 'notifications/io.calmcp/session', params: { answers } });
  await request('initialize', PARAMS);
  send({ method: 'notifications/initialized' });
  return {
    request,
    /** @throws Error for an answer that is an error or misses something */
    async ask(name, input) {
      const result = await request('tools/call', { name, arguments: input });
      if (result.isError || !result.structuredContent.complete)
        throw new Error(`an answer is not complete: ${JSON.stringify(result).slice(0, 500)}`);
      return result.structuredContent;
    },
  };
}

/** A session on the daemon's socket. */
export async function connectSession(path, options) {
  const socket = connect(path);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return { ...(await openLineSession(socket, socket, options)), close: () => socket.destroy() };
}
