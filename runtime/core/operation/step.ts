/** Advances an operation by one event, and finds out after a restart where it stood. */
import type { FactName } from './facts.ts';
import { type Action, type State, type Transition, type Trigger, transitions } from './transitions.ts';

/** What the station must do, in this order: make `append` durable, then `perform`. */
export interface Step {
  readonly state: State;
  readonly append: FactName | null;
  readonly perform: Action | null;
}

/** Pure: same arguments, same step. An event out of turn changes nothing. */
export function step(state: State, trigger: Trigger): Step {
  const row = transitions.find((t) => t.from === state && t.on === trigger);
  return row === undefined
    ? { state, append: null, perform: null }
    : { state: row.to, append: row.journal, perform: row.perform };
}

export interface Recovery {
  readonly state: State;
  /** The action whose answer never became durable. */
  readonly perform: Action | null;
  /** Whether the world must be asked how far that action came before it is repeated. */
  readonly inspect: boolean;
}

/** Where the operation stands after `facts`, the names of one nest in order. Unknown successions change nothing. */
export function recover(facts: readonly FactName[]): Recovery {
  let last: Transition | undefined;
  let state: State = 'vacant';
  for (const fact of facts) {
    const row = transitions.find((t) => t.from === state && t.journal === fact);
    if (row === undefined) continue;
    last = row;
    state = row.to;
  }
  return { state, perform: last?.perform ?? null, inspect: last?.restart === 'inspect' };
}
