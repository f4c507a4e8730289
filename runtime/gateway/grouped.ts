/**
 * Many requests in one transaction: whatever waits while a group is under way is the next group. Alone a request
 * goes at once; under load the groups grow by themselves.
 */
import { Fault } from '../core/faults.ts';

export interface GroupLimits<Item> {
  readonly groupMax: number;
  readonly queueMax: number;
  /** Items that share one of these names are never in one group. */
  readonly namesOf?: (item: Item) => readonly string[];
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** `work` answers each item of a group in order, with a result or the fault of this one item; what it throws is
 * the answer to all of the group. @throws Fault BACKEND_BUSY when too many wait */
export function grouped<Item, Result>(
  work: (items: readonly Item[]) => Promise<readonly (Result | Fault)[]>,
  { groupMax, queueMax, namesOf = () => [] }: GroupLimits<Item>,
): (item: Item) => Promise<Result> {
  const queue: Waiting<Item, Result>[] = [];
  let running = false;
  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      const group = nextGroup(queue, groupMax, namesOf);
      try {
        const results = await work(group.map(({ item }) => item));
        for (const [i, { resolve, reject }] of group.entries()) {
          const result = results[i];
          if (result instanceof Fault) reject(result);
          else resolve(result as Result);
        }
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    running = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      if (queue.length >= queueMax) {
        reject(new Fault('BACKEND_BUSY', { waiting: queue.length }));
        return;
      }
      queue.push({ item, resolve, reject });
      if (running) return;
      running = true;
      void Promise.resolve().then(run);
    });
}

/** Takes from the front of the queue; what shares a name with one taken before stays for the next group. */
function nextGroup<Item, Result>(
  queue: Waiting<Item, Result>[],
  groupMax: number,
  namesOf: (item: Item) => readonly string[],
): readonly Waiting<Item, Result>[] {
  const names = new Set<string>();
  const group: Waiting<Item, Result>[] = [];
  const left: Waiting<Item, Result>[] = [];
  for (const waiting of queue) {
    const own = namesOf(waiting.item);
    if (group.length < groupMax && !own.some((name) => names.has(name))) {
      group.push(waiting);
      for (const name of own) names.add(name);
    } else left.push(waiting);
  }
  queue.splice(0, queue.length, ...left);
  return group;
}
