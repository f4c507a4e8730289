/** Contacts of the nest, debounced; unknown until the board has reported them and again once the link is in doubt. */
import type { FirmataIo, JohnnyBoard } from './handshake.ts';
import type { InputPin } from './options.ts';

export interface Inputs {
  /** Sets the pin's mode; reporting starts with `report`. Returns that mode. */
  add(input: InputPin): number;
  /** Asks for the ports of all pins added. */
  report(): void;
  known(): boolean;
  /** Null while unknown. */
  active(pin: number): boolean | null;
  /** Resolves with true as soon as the condition holds, with false when it does not within the deadline. */
  until(condition: () => boolean, withinMs: number): Promise<boolean>;
  /** Tells of each contact that has come to rest in another position, the first reports among them. */
  onChange(handler: (pin: number) => void): void;
  /** Everything is unknown from here on. */
  forget(): void;
}

export function createInputs(io: FirmataIo, board: JohnnyBoard, debounceMs: number): Inputs {
  const wiring = new Map<number, InputPin>();
  const levels = new Map<number, number>();
  const settling = new Map<number, { readonly level: number; readonly timer: NodeJS.Timeout }>();
  const waiting = new Set<() => void>();
  const changes = new Set<(pin: number) => void>();
  let forgotten = false;

  const settle = (pin: number, level: number): void => {
    settling.delete(pin);
    levels.set(pin, level);
    for (const tell of changes) tell(pin);
    for (const look of [...waiting]) look();
  };
  const hear = (pin: number, level: number): void => {
    if (forgotten) return;
    const before = levels.get(pin);
    const coming = settling.get(pin);
    // A neighbour's change repeats every pin of the port: that is no reason to wait anew.
    if (coming?.level === level) return;
    clearTimeout(coming?.timer);
    settling.delete(pin);
    if (before === level) return;
    if (before === undefined || debounceMs === 0) settle(pin, level);
    else settling.set(pin, { level, timer: setTimeout(() => settle(pin, level), debounceMs) });
  };
  return {
    add: (input) => {
      const mode = input.activeLevel === 0 ? io.MODES.PULLUP : io.MODES.INPUT;
      wiring.set(input.pin, input);
      board.pinMode(input.pin, mode);
      return mode;
    },
    report: () => {
      for (const pin of wiring.keys()) board.digitalRead(pin, (level) => hear(pin, level));
    },
    known: () => [...wiring.keys()].every((pin) => levels.has(pin)),
    active: (pin) => {
      const level = levels.get(pin);
      return level === undefined ? null : level === wiring.get(pin)?.activeLevel;
    },
    until: (condition, withinMs) =>
      new Promise((resolve) => {
        const end = (held: boolean): void => {
          waiting.delete(look);
          clearTimeout(late);
          resolve(held);
        };
        const look = (): void => {
          if (condition() || forgotten) end(!forgotten);
        };
        const late = setTimeout(() => end(false), withinMs);
        waiting.add(look);
        look();
      }),
    onChange: (handler) => {
      changes.add(handler);
    },
    forget: () => {
      forgotten = true;
      levels.clear();
      for (const { timer } of settling.values()) clearTimeout(timer);
      for (const look of [...waiting]) look();
    },
  };
}
