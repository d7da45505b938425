/** How much of what was read is kept in memory, over all accounts: what was used longest ago goes first. */
export interface Shelf {
  /** @param drop is called when there is no more room for it */
  put(item: object, size: number, drop: () => void): void;
  /** It was used just now. */
  touch(item: object): void;
  remove(item: object): void;
}

/** @param most sum of the sizes that there is room for */
export function createShelf(most: number): Shelf {
  /** In the order of their last use. */
  const items = new Map<object, { readonly size: number; readonly drop: () => void }>();
  let total = 0;

  function remove(item: object): void {
    total -= items.get(item)?.size ?? 0;
    items.delete(item);
  }

  return {
    put(item, size, drop) {
      remove(item);
      items.set(item, { size, drop });
      total += size;
      for (const [oldest, { drop: dropOldest }] of items) {
        if (total <= most) return;
        remove(oldest);
        dropOldest();
      }
    },
    touch(item) {
      const kept = items.get(item);
      if (kept === undefined) return;
      items.delete(item);
      items.set(item, kept);
    },
    remove,
  };
}
