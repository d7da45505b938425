// Questions to an app in this process, and what the same requests cost a bare HTTP client.

/** Fresh at the moment it is asked, whatever is kept: what is measured is the way to the calendars. */
export const LIVE = { maxAgeSeconds: 0 };

/** @returns the answer. @throws Error where something is missing in it */
export async function ask(operation, app, input, more = {}) {
  const answer = await operation.run(app, operation.input.parse(input), {
    signal: new AbortController().signal,
    ...more,
  });
  if (!answer.complete) throw new Error(`an answer is not complete: ${JSON.stringify(answer.accounts)}`);
  return answer;
}

/** A fetch that notes what was asked, so that it can be asked again without calmcp. */
export function noting() {
  const noted = [];
  return {
    noted,
    async fetch(url, init) {
      const { method = 'GET', headers, body } = init;
      noted.push({ url: String(url), method, headers: [...new Headers(headers)], ...(body == null ? {} : { body }) });
      return globalThis.fetch(url, init);
    },
  };
}

/** Sends noted requests at once, and reads the answers to their last byte. */
export async function askBare(requests) {
  await Promise.all(
    requests.map(async ({ url, ...init }) => {
      const response = await globalThis.fetch(url, init);
      await response.arrayBuffer();
      if (response.status >= 300) throw new Error(`a bare request was refused: ${response.status}`);
    }),
  );
}
