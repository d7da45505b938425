/** What a session with the daemon has besides MCP, as both of its ends name it (docs/decisions/0019). */

/** A notification, as the first line: what the session is to be like. */
export const SESSION = 'notifications/io.calmcp/session';
/** A notification to the daemon: it is to finish. */
export const FINISH = 'notifications/io.calmcp/finish';
/** A notification of the daemon: it takes nothing new, and answers what is under way. */
export const FINISHING = 'notifications/io.calmcp/finishing';
/** A notification of the daemon: what the session has heard since the last one (`operations/heard.ts`), to be handed on to the next daemon. */
export const HEARD = 'notifications/io.calmcp/heard';
/** In the data of a JSON-RPC error: nothing of the request was begun. */
export const NOT_TAKEN = 'io.calmcp/notTaken';
/** In `_meta` of a failed tool call: all that a CalmcpError says. */
export const ERROR_META = 'io.calmcp/error';
