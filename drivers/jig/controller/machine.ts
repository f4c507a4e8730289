/** Runs the pure machine of the gate controller over a memory: one action after the other, in order. */
import {
  type ControllerAction,
  type ControllerEvent,
  type ControllerMemory,
  type ControllerSelf,
  step,
  unpowered,
} from './gate-controller.ts';

/** Where the controller keeps what must survive a power cut. */
export interface MemoryStore {
  load(): ControllerMemory;
  /** Durable when it returns, or when its promise resolves; until then the controller does nothing. */
  save(memory: ControllerMemory): void | Promise<void>;
}

/** `query` is the number of the question that caused the event, 0 for none. */
export type Perform = (
  action: Exclude<ControllerAction, { kind: 'remember' }>,
  event: ControllerEvent,
  query: number,
) => void;

export interface Machine {
  handle(event: ControllerEvent, query?: number): void;
  arrival(): number;
}

/**
 * Steps the pure machine, one action after the other. Events that arise meanwhile wait for their turn: it knows
 * no nesting, and does nothing while its memory is being written.
 */
export function createMachine(self: ControllerSelf, memory: MemoryStore, perform: Perform): Machine {
  const events: { readonly event: ControllerEvent; readonly query: number }[] = [];
  const actions: (() => void)[] = [];
  let state = unpowered(memory.load());
  let running = false;
  let writing = false;

  /** A write that fails is nobody's to handle: it ends the process, as a controller without memory must. */
  const remember = (what: ControllerMemory): void => {
    const written = memory.save(what);
    if (written === undefined) return;
    writing = true;
    void written.then(() => {
      writing = false;
      run();
    });
  };
  const run = (): void => {
    if (running) return;
    running = true;
    try {
      while (!writing) {
        const act = actions.shift();
        if (act !== undefined) {
          act();
          continue;
        }
        const next = events.shift();
        if (next === undefined) return;
        const { event, query } = next;
        const after = step(self, state, event);
        state = after.state;
        for (const action of after.actions)
          actions.push(() =>
            action.kind === 'remember' ? remember(action.memory) : perform(action, event, query),
          );
      }
    } finally {
      running = false;
    }
  };
  return {
    arrival: () => state.arrival,
    handle: (event, query = 0) => {
      events.push({ event, query });
      run();
    },
  };
}
