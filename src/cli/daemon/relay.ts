/**
 * `calmcp mcp` beside a daemon: lines of a client to the daemon and back. A client stays for days, and the daemon may be stopped,
 * killed or replaced meanwhile: the client does not notice, as long as nothing is lost that could not be asked again.
 */
import type { Readable, Writable } from 'node:stream';
import { CalmcpError } from '../../core/errors.ts';
import { splitLines } from '../../core/lines.ts';
import type { Logger } from '../../core/provider.ts';
import { FINISHING, HEARD, NOT_TAKEN } from '../../core/session-names.ts';
import {
  type Channel,
  factsOf,
  isOfThatRevision,
  type Message,
  readMessage,
  type Told,
  textOf,
} from '../../io/daemon-connection.ts';

/** Tools that may be called again when their answer was lost. A test holds this list against the operations. */
export const READING_TOOLS: ReadonlySet<string> = new Set([
  'list_accounts',
  'list_calendars',
  'list_events',
  'search_events',
  'get_event',
  'get_free_busy',
  'find_free_time',
  'find_conflicts',
  'get_current_time',
]);

/** As the SDK takes it from a client without a daemon. */
const MOST_LINE_BYTES = 10_485_760;
/** A daemon that is replaced leaves nobody to ask for so long, in milliseconds. */
const REPLACED_MS = 5_000;
/**
 * Connections that broke so close together, in milliseconds, are no accident, and a question may be why: this process does the work
 * itself then.
 */
const TROUBLE_MS = 60_000;
/** As many as a server remembers itself (`operations/heard.ts`). */
const MOST_HEARD = 100_000;
/** For the opening of another session, in milliseconds: by a daemon, and by this process, which has yet to load the server. */
const OPENING_MS = { daemon: 2_000, alone: 20_000 } as const;

/** Our own request, beside those of the client. */
const OPENING = 'io.calmcp/opening';

export interface RelayOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Resolves when the client has gone. */
  readonly gone: Promise<void>;
  readonly log: Logger;
  readonly first: Channel;
  /** Another daemon, where there is one within so many milliseconds. */
  readonly reattach: (patienceMs: number, heard: Told) => Promise<Channel | undefined>;
  /** calmcp itself, in this process. */
  readonly alone: (heard: Told) => Promise<Channel>;
}

type Id = string | number;

/** One session with a server: of the daemon, a later one, or this process. */
interface Session {
  readonly channel: Channel;
  /** The first is 0. */
  readonly number: number;
  readonly isAlone: boolean;
  /** It takes nothing new. */
  isFinishing: boolean;
  isClosed: boolean;
  /** Takes the answer to {@link OPENING}; `undefined`: the session is gone. */
  onOpened?: ((answer: Message | undefined) => void) | undefined;
}

/** A request of the client that has no answer yet. */
interface Question {
  readonly line: string;
  readonly message: Message;
  /** Where it was asked; `undefined` when it has to be asked again. */
  session: Session | undefined;
  /** Of the last progress that was told: it may not fall. */
  progress: number;
}

/** It stays open for as long as the client likes: nothing to wait for, and asked again elsewhere. */
const isOpenEnded = ({ message }: Question): boolean => message.method === 'subscriptions/listen';

const progressTokenOf = ({ params }: Message): unknown => factsOf(factsOf(params)._meta).progressToken;

const nameOf = ({ params }: Message): string => String(factsOf(params).name);

/** Whether asking again does no harm. */
function isRepeatable(message: Message): boolean {
  if (message.method !== 'tools/call') return true;
  return READING_TOOLS.has(nameOf(message)) || factsOf(factsOf(message.params).arguments).dryRun === true;
}

/** To the caller of a tool that may have done its work. */
function unknownOutcome(message: Message): string {
  const hint =
    nameOf(message) === 'sign_in'
      ? 'see with list_accounts whether the account is signed in before you try again'
      : 'look at the event before you try again';
  const text = `UNAVAILABLE: the connection to calmcp’s daemon broke; nobody knows whether it was done\n${hint}`;
  return textOf({
    ...(message.id === undefined ? {} : { id: message.id }),
    result: {
      ...(isOfThatRevision(message.params) ? { resultType: 'complete' } : {}),
      isError: true,
      content: [{ type: 'text', text }],
    },
  });
}

/** Resolves when the client has gone. @throws what keeps this process from serving at all */
export async function relay(options: RelayOptions): Promise<void> {
  const { input, output, log } = options;
  const sessions = new Set<Session>();
  const questions = new Map<Id, Question>();
  /** Requests of servers to the client, by the id that the client knows. */
  const requests = new Map<Id, { readonly session: Session; readonly id: Id }>();
  /** What the client said while there was nobody to ask. */
  const waiting: { readonly line: string; readonly message: Message }[] = [];
  /** The handshake of the revisions that have one. */
  let handshake: { readonly request: Message; version?: unknown } | undefined;
  let initialized: string | undefined;
  let current: Session | undefined;
  const heard = new Map<string, unknown>();
  let connecting: Promise<void> | undefined;
  let count = 0;
  let isAlone = false;
  /** When the last session ended, and whether the daemon had said that it would. */
  let ended = { at: Number.NEGATIVE_INFINITY, wasFinishing: false };
  let hasGone = false;
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });

  function tell(line: string): void {
    if (hasGone || output.write(`${line}\n`)) return;
    for (const { channel } of sessions) channel.pause();
  }

  const isUnderWay = (session: Session): boolean =>
    [...questions.values()].some((question) => question.session === session && !isOpenEnded(question));

  function endWhenDone(session: Session): void {
    if (session.isFinishing && !isUnderWay(session)) session.channel.end();
  }

  function finish(session: Session): void {
    session.isFinishing = true;
    ended = { at: performance.now(), wasFinishing: true };
    leave(session);
    endWhenDone(session);
  }

  /** Nobody drains its channel any more: what the client says next finds somebody else. */
  function leave(session: Session): void {
    if (current !== session) return;
    current = undefined;
    if (connecting === undefined) input.resume();
  }

  /** To the server: it may be asked again later. */
  function ask(question: Question, session: Session): void {
    question.session = session;
    session.channel.send(question.line);
  }

  function onAnswer(session: Session, line: string, message: Message): void {
    const { id, error, result } = message;
    if (id === OPENING) {
      session.onOpened?.(message);
      return;
    }
    const question = id === undefined ? undefined : questions.get(id);
    // Of a question that was given up, or that somebody else answers by now.
    if (id === undefined || question?.session !== session) return;
    if (factsOf(factsOf(error).data)[NOT_TAKEN] === true) {
      question.session = undefined;
      finish(session);
      connect();
      return;
    }
    questions.delete(id);
    if (question.message === handshake?.request)
      handshake.version = factsOf(result).protocolVersion ?? handshake.version;
    tell(line);
    endWhenDone(session);
  }

  /** Ids of a server's requests are its own: those of a later one must not be taken for them. */
  function onRequest(session: Session, line: string, message: Message): void {
    const id = message.id ?? '';
    const known = session.number === 0 ? id : `io.calmcp/${session.number}/${JSON.stringify(id)}`;
    requests.set(known, { session, id });
    tell(known === id ? line : textOf({ ...message, id: known }));
  }

  function onNotification(session: Session, line: string, message: Message): void {
    const { method = '', params } = message;
    if (method === FINISHING) finish(session);
    else if (method === HEARD) hear(factsOf(params).entries);
    else if (method === 'notifications/cancelled') onRequestCancelled(session, line, message);
    else if (method === 'notifications/progress') onProgress(session, line, factsOf(params));
    else if (!method.startsWith('notifications/io.calmcp/')) tell(line);
  }

  /** So that a daemon which comes after this one keeps words of one client out of the calendars of others as well. */
  function hear(entries: unknown): void {
    for (const entry of Array.isArray(entries) ? entries : []) {
      const key = String(Array.isArray(entry) ? entry[0] : '');
      heard.delete(key);
      heard.set(key, entry);
      if (heard.size > MOST_HEARD) heard.delete(heard.keys().next().value ?? '');
    }
  }

  function onRequestCancelled(session: Session, line: string, message: Message): void {
    const params = factsOf(message.params);
    const found = [...requests].find(([, { session: of, id }]) => of === session && id === params.requestId);
    if (found === undefined) return;
    const [requestId] = found;
    requests.delete(requestId);
    tell(requestId === params.requestId ? line : textOf({ ...message, params: { ...params, requestId } }));
  }

  /** It starts anew where a question was asked again, and a client is promised that it rises. */
  function onProgress(session: Session, line: string, params: Readonly<Record<string, unknown>>): void {
    const question = [...questions.values()].find(({ message }) => progressTokenOf(message) === params.progressToken);
    const progress = Number(params.progress);
    if (question?.session !== session || !(progress > question.progress)) return;
    question.progress = progress;
    tell(line);
  }

  function onLine(session: Session, line: string): void {
    const message = readMessage(line);
    if (message === undefined) log.warn('the daemon said what is no message');
    else if (message.method === undefined) onAnswer(session, line, message);
    else if (message.id === undefined) onNotification(session, line, message);
    else onRequest(session, line, message);
  }

  function onClosed(session: Session): void {
    session.isClosed = true;
    session.onOpened?.(undefined);
    sessions.delete(session);
    if (hasGone) return;
    if (session.isAlone) {
      fail(new CalmcpError('INTERNAL', 'the server in this process has closed'));
      return;
    }
    leave(session);
    const now = performance.now();
    if (!session.isFinishing) {
      log.info('the connection to the daemon broke');
      if (now - ended.at < TROUBLE_MS && !ended.wasFinishing) isAlone = true;
    }
    ended = { at: now, wasFinishing: session.isFinishing };
    for (const [known, request] of requests) {
      if (request.session !== session) continue;
      requests.delete(known);
      tell(textOf({ method: 'notifications/cancelled', params: { requestId: known } }));
    }
    for (const [id, question] of questions) {
      if (question.session !== session) continue;
      question.session = undefined;
      if (isRepeatable(question.message)) continue;
      questions.delete(id);
      tell(unknownOutcome(question.message));
    }
    if (questions.size > 0) connect();
  }

  function enter(channel: Channel, alone: boolean): Session {
    const session: Session = { channel, number: count++, isAlone: alone, isFinishing: false, isClosed: false };
    sessions.add(session);
    channel.listen({
      line: (line) => onLine(session, line),
      drain() {
        if (session === current) input.resume();
      },
      closed: () => onClosed(session),
      isAwaiting: () => isUnderWay(session),
    });
    // The client did not wait for it.
    if (hasGone) channel.destroy();
    return session;
  }

  /** Repeats what the client said at its beginning. @returns whether the session goes on as the first one did */
  async function reopen(session: Session): Promise<boolean> {
    if (handshake?.version === undefined) return !session.isClosed;
    const { request, version } = handshake;
    const answer = await new Promise<Message | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), session.isAlone ? OPENING_MS.alone : OPENING_MS.daemon);
      session.onOpened = (message) => {
        clearTimeout(timer);
        session.onOpened = undefined;
        resolve(message);
      };
      if (session.isClosed) session.onOpened(undefined);
      else session.channel.send(textOf({ ...request, id: OPENING }));
    });
    if (factsOf(answer?.result).protocolVersion !== version) return false;
    if (initialized !== undefined) session.channel.send(initialized);
    return !session.isClosed;
  }

  async function nextSession(): Promise<Session> {
    if (!isAlone) {
      const patienceMs = ended.wasFinishing ? Math.max(0, ended.at + REPLACED_MS - performance.now()) : 0;
      const channel = await options.reattach(patienceMs, [...heard.values()]).catch((error: unknown) => {
        log.warn('the daemon could not be looked for', { error });
        return undefined;
      });
      const session = channel === undefined ? undefined : enter(channel, false);
      if (session !== undefined && (await reopen(session))) return session;
      isAlone = true;
      session?.channel.destroy();
    }
    const session = enter(await options.alone([...heard.values()]), true);
    if (!(await reopen(session))) throw new CalmcpError('INTERNAL', 'the session could not be opened again');
    return session;
  }

  /** Finds somebody to ask, and asks what is open. */
  function connect(): void {
    if (connecting !== undefined || hasGone) return;
    input.pause();
    connecting = nextSession()
      .then((session) => {
        connecting = undefined;
        if (hasGone) return;
        // It may have closed again, or have said that it finishes: then all waits on.
        if (!session.isClosed && !session.isFinishing) {
          current = session;
          for (const question of questions.values()) if (question.session === undefined) ask(question, session);
        }
        while (current !== undefined && waiting.length > 0) {
          const next = waiting.shift();
          if (next !== undefined) pass(next.line, next.message);
        }
        if (
          current === undefined &&
          (waiting.length > 0 || [...questions.values()].some((one) => one.session === undefined))
        )
          connect();
        else if (current?.channel.isFull !== true) input.resume();
      })
      .catch(fail);
  }

  /** What the client said, to whoever it is for. */
  function pass(line: string, message: Message): void {
    const { id, method, params } = message;
    if (method === 'notifications/cancelled') cancel(line, factsOf(params).requestId as Id);
    else if (id !== undefined && method === undefined) respond(line, message, id);
    else if (current === undefined) {
      waiting.push({ line, message });
      connect();
    } else {
      if (method === 'notifications/initialized') initialized = line;
      if (method === 'initialize') handshake = { request: message };
      if (id === undefined) current.channel.send(line);
      else {
        const question = { line, message, session: undefined, progress: Number.NEGATIVE_INFINITY };
        questions.set(id, question);
        ask(question, current);
      }
      if (current?.channel.isFull === true) input.pause();
    }
  }

  /** An answer of the client, which a server that is gone does not need any more. */
  function respond(line: string, message: Message, id: Id): void {
    const request = requests.get(id);
    requests.delete(id);
    request?.session.channel.send(request.id === id ? line : textOf({ ...message, id: request.id }));
  }

  function cancel(line: string, id: Id): void {
    const unasked = waiting.findIndex(({ message }) => message.id === id && message.method !== undefined);
    if (unasked >= 0) {
      waiting.splice(unasked, 1);
      return;
    }
    const session = questions.get(id)?.session;
    questions.delete(id);
    if (session === undefined) return;
    session.channel.send(line);
    endWhenDone(session);
  }

  const take = splitLines(MOST_LINE_BYTES, (line) => {
    const message = readMessage(line);
    if (message !== undefined) pass(line, message);
    else if (line !== '') log.warn('the client said what is no message');
  });
  const onInput = (piece: Buffer): void => {
    if (!take(piece)) fail(new CalmcpError('INPUT_INVALID', 'a message of the client was longer than 10 MiB'));
  };
  const onDrain = (): void => {
    for (const { channel } of sessions) channel.resume();
  };

  current = enter(options.first, false);
  output.on('drain', onDrain);
  input.on('data', onInput);
  try {
    await Promise.race([options.gone, failed]);
  } finally {
    hasGone = true;
    input.off('data', onInput);
    output.off('drain', onDrain);
    for (const { channel } of sessions) channel.destroy();
  }
}
