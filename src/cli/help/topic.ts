/** Something that is no command, and that a person may want to read about: `calmcp help <name>`. */
export interface Topic {
  readonly name: string;
  /** One line, for the list. */
  readonly summary: string;
  /** Plain text, lines of at most 80 characters. */
  readonly text: string;
}
