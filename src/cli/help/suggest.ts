/** Optimal string alignment: letters put in, left out, changed, or two of them swapped. */
function distance(one: string, other: string): number {
  const rows = Array.from({ length: one.length + 1 }, (_, row) =>
    Array.from({ length: other.length + 1 }, (_unused, column) => (row === 0 ? column : column === 0 ? row : 0)),
  );
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= one.length; row++)
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const least = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
      rows[row]?.splice(column, 1, least);
    }
  return at(one.length, other.length);
}

/** The known words that somebody may have meant, the closest first. */
export function suggest(word: string, known: readonly string[]): readonly string[] {
  const wanted = word.toLowerCase().slice(0, 40);
  return known
    .map((candidate) => ({
      candidate,
      far: candidate.startsWith(wanted) && wanted.length > 1 ? 1 : distance(wanted, candidate),
    }))
    .filter(({ candidate, far }) => far <= Math.min(3, Math.floor(candidate.length * 0.4)))
    .sort((one, other) => one.far - other.far)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}
