/** Messages that come as lines, in pieces of any size. */

const LINE_FEED = 10;

/**
 * Calls `each` with every line, without its end; linear in what came, whatever its pieces.
 * @param most bytes of one line
 * @returns what takes a piece; it returns false once a line is longer
 */
export function splitLines(most: number, each: (line: string) => void): (piece: Buffer) => boolean {
  let begun: Buffer[] = [];
  let size = 0;
  return (piece) => {
    let from = 0;
    for (let to = piece.indexOf(LINE_FEED); to >= 0; to = piece.indexOf(LINE_FEED, from)) {
      if (size + to - from > most) return false;
      const line = Buffer.concat([...begun, piece.subarray(from, to)]).toString('utf8');
      begun = [];
      size = 0;
      from = to + 1;
      each(line.endsWith('\r') ? line.slice(0, -1) : line);
    }
    const rest = piece.subarray(from);
    size += rest.length;
    if (size > most) return false;
    if (rest.length > 0) begun.push(rest);
    return true;
  };
}
