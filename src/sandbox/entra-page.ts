import { type Answer, html } from './http.ts';

/** The frame of every page that a person sees at the sandbox's Entra ID. */
export function entraPage(content: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sandbox sign-in</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}</style></head>
<body><main>
${content}
<p><small>This is the calmcp sandbox. No password, no real account.</small></p>
</main></body>
</html>
`;
}

export function showEntraPage(content: string, status = 200): Answer {
  return html(entraPage(content), status);
}
