/**
 * One commit at a time: while it runs, what comes in collects, and the next commit takes it together. No timer:
 * alone an item is committed at once, under load batches grow by themselves.
 */
import { Fault } from '../../runtime/core/faults.ts';

export interface GroupCommit<Item, Result> {
  /** Resolves when the item is committed. @throws Fault as the commit failed; UNEXPECTED when too many wait. */
  add(item: Item): Promise<Result>;
  /** Everything that waits, and everything later, fails with this. The first call counts. */
  poison(fault: Fault): void;
  readonly poisoned: Fault | null;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (fault: Fault) => void;
}

export function createGroupCommit<Item, Result>(options: {
  /** Commits some of what waits, the oldest first and at least one: one result for each it took. */
  readonly commit: (waiting: readonly Item[]) => Promise<readonly Result[]>;
  /** What a failed commit means to everybody who waits: the outcome is unknown. */
  readonly failed: (error: unknown) => Fault;
  readonly waitingMax: number;
}): GroupCommit<Item, Result> {
  const queue: Waiting<Item, Result>[] = [];
  let running: Promise<void> | null = null;
  let poisoned: Fault | null = null;

  const poison = (fault: Fault): void => {
    poisoned ??= fault;
    for (const waiting of queue.splice(0)) waiting.reject(poisoned);
  };
  const run = async (): Promise<void> => {
    await Promise.resolve(); // What the same turn adds goes into the same batch.
    while (queue.length > 0) {
      try {
        const results = await options.commit(queue.map((waiting) => waiting.item));
        for (const [i, waiting] of queue.splice(0, results.length).entries())
          waiting.resolve(results[i] as Result);
      } catch (error) {
        poison(options.failed(error));
      }
    }
    running = null;
  };
  return {
    add: (item) => {
      if (poisoned !== null) return Promise.reject(poisoned);
      if (queue.length >= options.waitingMax)
        return Promise.reject(new Fault('UNEXPECTED', { queue: 'journal', waitingMax: options.waitingMax }));
      return new Promise((resolve, reject) => {
        queue.push({ item, resolve, reject });
        running ??= run();
      });
    },
    poison,
    get poisoned() {
      return poisoned;
    },
    idle: () => running ?? Promise.resolve(),
  };
}
