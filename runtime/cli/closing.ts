/** What must not be left behind when a command is interrupted: the copy of a journal, a database session. */

export interface Closing {
  /** The same, closed with the others when the process is told to end. */
  keep<T extends AsyncDisposable>(resource: T): T;
  closeAll(): Promise<void>;
}

export function createClosing(): Closing {
  const open = new Map<AsyncDisposable, () => Promise<void>>();
  return {
    keep: (resource) => {
      const close = resource[Symbol.asyncDispose].bind(resource);
      const once = async (): Promise<void> => {
        if (open.delete(resource)) await close();
      };
      open.set(resource, once);
      resource[Symbol.asyncDispose] = once;
      return resource;
    },
    closeAll: async () => {
      for (const close of [...open.values()]) await close();
    },
  };
}
