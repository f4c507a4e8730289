/** What must not be left behind when a command is interrupted: the copy of a journal, a database connection. */

export interface Closing {
  /** True from the moment the process was told to end: what fails after that is nobody's fault. */
  readonly begun: boolean;
  /** What is opened, closed with the others when the process is told to end; also while it is being opened. */
  keep<T extends AsyncDisposable>(opening: Promise<T>): Promise<T>;
  closeAll(): Promise<void>;
}

export function createClosing(): Closing {
  const openings = new Set<Promise<AsyncDisposable>>();
  let begun = false;
  return {
    get begun() {
      return begun;
    },
    keep: async (opening) => {
      const once = opening.then((resource) => closedOnce(resource, () => openings.delete(once)));
      openings.add(once);
      try {
        return await once;
      } catch (error) {
        openings.delete(once);
        throw error;
      }
    },
    closeAll: async () => {
      begun = true;
      for (const opened of await Promise.allSettled(openings))
        if (opened.status === 'fulfilled') await opened.value[Symbol.asyncDispose]();
    },
  };
}

/** The same resource; closing it again, by the command and by the signal, does nothing. */
function closedOnce<T extends AsyncDisposable>(resource: T, forget: () => void): T {
  const close = resource[Symbol.asyncDispose].bind(resource);
  let closing: Promise<void> | null = null;
  resource[Symbol.asyncDispose] = () => {
    forget();
    closing ??= Promise.resolve(close());
    return closing;
  };
  return resource;
}
