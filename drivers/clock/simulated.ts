/**
 * Simulated time: one heap of events, ordered by due time and then by the order of their making. Time moves
 * only when an event runs, and after each event every promise that can settle does.
 */
import type { Clock } from '../../runtime/core/ports.ts';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  action: (() => void) | null;
}

export interface SimulatedClock extends Clock {
  /** Runs the next event; false when there is none before `untilMs`. */
  runNext(untilMs?: number): Promise<boolean>;
  /** Moves the wall clock alone, as a wrong NTP server would. */
  jumpWall(byMs: number): void;
  /** Events that wait for their time, cancelled ones not counted. */
  pending(): number;
}

export function createSimulatedClock(startMs: number): SimulatedClock {
  const heap: Pending[] = [];
  let elapsedMs = 0;
  let order = 0;
  let wallMs = startMs;
  return {
    now: () => Math.trunc(wallMs + elapsedMs),
    monotonicMs: () => elapsedMs,
    after: (delayMs, action) => {
      const pending: Pending = { dueMs: elapsedMs + Math.max(0, delayMs), order: order++, action };
      push(heap, pending);
      return () => {
        pending.action = null;
      };
    },
    jumpWall: (byMs) => {
      wallMs += byMs;
    },
    pending: () => heap.filter(({ action }) => action !== null).length,
    runNext: async (untilMs = Number.POSITIVE_INFINITY) => {
      await settled();
      for (;;) {
        const next = heap[0];
        if (next === undefined || next.dueMs > untilMs) return false;
        pop(heap);
        if (next.action === null) continue;
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.action();
        await settled();
        return true;
      }
    },
  };
}

/** Resolves when every microtask that was ready has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function before(a: Pending, b: Pending): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

function push(heap: Pending[], item: Pending): void {
  heap.push(item);
  for (let at = heap.length - 1; at > 0; ) {
    const parent = (at - 1) >> 1;
    if (!swapIf(heap, at, parent)) return;
    at = parent;
  }
}

function pop(heap: Pending[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  for (let at = 0; ; ) {
    const left = 2 * at + 1;
    const right = left + 1;
    let least = at;
    for (const child of [left, right]) {
      const a = heap[child];
      const b = heap[least];
      if (a !== undefined && b !== undefined && before(a, b)) least = child;
    }
    if (least === at) return;
    swapIf(heap, least, at);
    at = least;
  }
}

/** Exchanges child and parent when they stand in the wrong order. */
function swapIf(heap: Pending[], child: number, parent: number): boolean {
  const a = heap[child];
  const b = heap[parent];
  if (a === undefined || b === undefined || !before(a, b)) return false;
  heap[child] = b;
  heap[parent] = a;
  return true;
}
