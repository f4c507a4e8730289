/** The files of a simulated ceremony. */
import type { Bytes } from '../../runtime/core/bytes.ts';
import type { Shelf } from '../../runtime/core/ceremony/shelf.ts';

export interface InMemoryShelf extends Shelf {
  readonly files: Map<string, Bytes>;
}

/** @param onWrite called before each write; what it throws happens in its place */
export function createInMemoryShelf(onWrite: (path: string) => void = () => undefined): InMemoryShelf {
  const files = new Map<string, Bytes>();
  return {
    files,
    read: async (path) => files.get(path) ?? null,
    write: async (path, bytes) => {
      onWrite(path);
      files.set(path, bytes.slice());
    },
  };
}
