/** Items that one part of an answer may have. A file of its own: what a command says of its options loads nothing else. */
export const MOST_ITEMS = 1_000;
