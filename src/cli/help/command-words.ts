/** What operations say of their inputs, in the words of a command line: to a model it is `notify: all`, here `--notify all`. */

const COMMANDS: Readonly<Record<string, string>> = {
  list_events: 'calmcp agenda',
  search_events: 'calmcp search',
  get_free_busy: 'calmcp freebusy',
  find_free_time: 'calmcp find-time',
  find_conflicts: 'calmcp conflicts',
  get_event: 'calmcp event get',
  create_event: 'calmcp event create',
  update_event: 'calmcp event update',
  delete_event: 'calmcp event delete',
  respond_to_event: 'calmcp event respond',
  sign_in: 'calmcp login',
};

/** Inputs whose option is not called like them. */
const OPTIONS: Readonly<Record<string, string>> = {
  accounts: '--account',
  maxAgeSeconds: '--max-age',
  reminders: '--reminder',
  categories: '--category',
  attendees: '--attendee',
  optionalAttendees: '--optional-attendee',
  addAttendees: '--add-attendee',
  removeAttendees: '--remove-attendee',
  version: '--if-version',
  id: 'ID',
  query: 'TEXT',
};

/** Inputs that are options of the same name. */
const SAME = new Set(
  'account audience calendar start end location text busy sensitivity color repeat type key scope comment notify limit cursor from to'.split(
    ' ',
  ),
);

/** What a person typed for an input of an operation. */
export function optionOf(input: string): string {
  return OPTIONS[input] ?? (SAME.has(input) ? `--${input}` : input);
}

/** Of the message of an error, or of an answer. */
export function inCommandWords(text: string): string {
  return (
    text
      // A line that speaks of tools means them.
      .replaceAll(/^(?!.*\btools?\b).*$/gm, (line) =>
        line.replaceAll(/\b[a-z]+(?:_[a-z]+)+\b/g, (name) => COMMANDS[name] ?? name),
      )
      .replaceAll(/\bdryRun: true\b/g, '--dry-run')
      .replaceAll(/\b(notify|scope): "?(all|none|this|following)\b"?/g, '--$1 $2')
      .replaceAll(/\bas account: /g, 'with --account: ')
      .replaceAll(/\bgive (start|end) as\b/g, 'give --$1 as')
  );
}
