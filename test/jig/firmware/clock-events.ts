/**
 * For tests: the events of an emulated processor, in a list of our own. The emulator's loses events when bytes
 * come and go at the same time, and the line is dead from then on.
 */
import type { CPU } from 'avr8js';

export interface ClockEvents {
  /** Clock cycle of the next event; infinity for none. */
  nextAt(): number;
  /** Does everything that is due. */
  run(): void;
}

export function ownClockEvents(cpu: CPU): ClockEvents {
  const events: { readonly at: number; readonly happen: () => void }[] = [];
  let nextAt = Number.POSITIVE_INFINITY;
  const look = (): void => {
    nextAt = events[0]?.at ?? Number.POSITIVE_INFINITY;
  };
  const add = (happen: () => void, cycles: number): (() => void) => {
    const at = cpu.cycles + Math.max(1, cycles);
    const later = events.findIndex((event) => event.at > at);
    events.splice(later < 0 ? events.length : later, 0, { at, happen });
    look();
    return happen;
  };
  const clear = (happen: () => void): boolean => {
    const index = events.findIndex((event) => event.happen === happen);
    if (index >= 0) events.splice(index, 1);
    look();
    return index >= 0;
  };
  cpu.addClockEvent = add;
  cpu.clearClockEvent = clear;
  cpu.updateClockEvent = (happen, cycles) => {
    if (!clear(happen)) return false;
    add(happen, cycles);
    return true;
  };
  return {
    nextAt: () => nextAt,
    run: () => {
      while (nextAt <= cpu.cycles) {
        const event = events.shift();
        look();
        event?.happen();
      }
    },
  };
}
