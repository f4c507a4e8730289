/**
 * One life of a program on simulated ports: from its start to the moment it is killed. Every call of a port is
 * crossed twice, on the way out and on the way back, and whoever watches may end the life or fail the call there.
 *
 * A dead program hears nothing: its calls never settle, its handlers and timers are not called again. What it
 * calculates until it reaches the next port does no harm, since only ports lead anywhere.
 */
import type { Fault } from '../../runtime/core/faults.ts';

export type Phase = 'before' | 'after';

/** One way of one call of a port. */
export interface Crossing {
  readonly program: string;
  /** `journal.append`, `ledger.intend`. */
  readonly call: string;
  readonly phase: Phase;
}

/** How a program dies here. */
export interface Death {
  /** Until its supervisor starts it again. */
  readonly downMs: number;
  /** Whether a write to disk that was under way has reached it. */
  readonly kept: boolean;
  /** The power of the whole fixture goes with it. */
  readonly power: boolean;
}

export type Order = 'go' | 'fail' | Death;

/** Decides at each crossing what becomes of the program. */
export type Watch = (crossing: Crossing) => Order;

/** What a failed call says; called where the call was made (`before`) or has had its effect (`after`). */
export type Failure = (
  phase: Phase,
  result: unknown,
) => { readonly throws: Fault } | { readonly gives: unknown };

export interface Guarded {
  /** Name of the port. */
  readonly port: string;
  /** Methods that answer at once; they are never crossed. */
  readonly atOnce?: readonly string[];
  readonly failure: Failure;
}

export interface Life {
  readonly program: string;
  readonly alive: boolean;
  /** The same port for this life alone. */
  guard<Port extends object>(target: Port, guarded: Guarded): Port;
  /** Called once, when the life ends. */
  onEnd(action: (death: Death) => void): void;
  end(death: Death): void;
  /** Crosses by hand, where a port calls out in the middle of its work. */
  cross(call: string, phase: Phase): 'go' | 'fail' | 'die';
}

type Callable = (...args: unknown[]) => unknown;

export function createLife(program: string, watch: Watch): Life {
  const ends: ((death: Death) => void)[] = [];
  let alive = true;
  const end = (death: Death): void => {
    if (!alive) return;
    alive = false;
    for (const action of ends) action(death);
  };
  const cross = (call: string, phase: Phase): 'go' | 'fail' | 'die' => {
    if (!alive) return 'die';
    const order = watch({ program, call, phase });
    if (typeof order === 'string') return order;
    end(order);
    return 'die';
  };
  const heard = (value: unknown): unknown =>
    typeof value === 'function'
      ? (...args: unknown[]): unknown => (alive ? (value as Callable)(...args) : never())
      : value;
  const made = async (call: string, act: () => unknown, failure: Failure): Promise<unknown> => {
    const out = cross(call, 'before');
    if (out === 'die') return never();
    if (out === 'fail') return told(failure('before', undefined));
    let result: unknown;
    try {
      result = await act();
    } catch (error) {
      if (!alive) return never();
      throw error;
    }
    const back = cross(call, 'after');
    if (back === 'die') return never();
    return back === 'fail' ? told(failure('after', result)) : result;
  };
  return {
    program,
    get alive() {
      return alive;
    },
    end,
    cross,
    onEnd: (action) => {
      ends.push(action);
    },
    guard: <Port extends object>(target: Port, { port, atOnce = [], failure }: Guarded): Port =>
      new Proxy(target, {
        get: (_, name) => {
          const value = Reflect.get(target, name, target) as unknown;
          if (typeof value !== 'function' || typeof name !== 'string') return value;
          const method = value.bind(target) as Callable;
          if (atOnce.includes(name)) return (...args: unknown[]) => method(...args.map(heard));
          return (...args: unknown[]) => made(`${port}.${name}`, () => method(...args.map(heard)), failure);
        },
      }),
  };
}

function told(failed: ReturnType<Failure>): unknown {
  if ('throws' in failed) throw failed.throws;
  return failed.gives;
}

/** What a dead program waits for. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}
