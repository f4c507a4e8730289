/**
 * A broker that is not honest, between the programs of a simulated plant and an honest one: every message goes
 * through its hands, and its word for each says that all went well. When it is over it is honest again.
 */
import { createSimulatedEntropy, type SimulatedEntropy } from '../../../drivers/entropy/simulated.ts';
import type { Bytes } from '../../../runtime/core/bytes.ts';
import type { Bus, Clock } from '../../../runtime/core/ports.ts';

export interface Message {
  readonly topic: string;
  readonly payload: Bytes;
  readonly from: string;
}

/** What the broker can do with its hands. */
export interface Hands {
  readonly clock: Clock;
  readonly draw: SimulatedEntropy;
  /** What was said last, the newest at the end. */
  readonly said: readonly Message[];
  /** Gives bytes to whoever listens to a topic, as if its sender had said them. */
  give(topic: string, payload: Bytes, retain?: boolean): void;
  /** Does something a while later, if it is not over then. */
  later(ms: number, act: () => void): void;
  /** Counts a deed, so that a run in which nothing was done is seen. */
  struck(): void;
}

export interface Treatment {
  /** What becomes of a message; the honest thing is `hands.give(topic, payload)`. */
  readonly treat: (message: Message, hands: Hands) => void;
  /** Called once, when the first program has connected. */
  readonly begin?: (hands: Hands) => void;
}

export interface HostileBroker {
  /** For `betweenBus` of a world. */
  readonly between: (bus: Bus, clientId: string, clock: Clock) => Bus;
  readonly deeds: () => number;
  readonly said: readonly Message[];
  end(): void;
}

/** Of what was said the broker remembers so much. */
const SAID_MAX = 400;
const WORD_MS = 2;

export function createHostileBroker(treatment: Treatment, seed: string): HostileBroker {
  const said: Message[] = [];
  let hands: Hands | null = null;
  let deeds = 0;
  let over = false;
  const handsOf = (bus: Bus, clock: Clock): Hands => ({
    clock,
    draw: createSimulatedEntropy(`hostile/${seed}`),
    said,
    give: (topic, payload, retain = false) => {
      void bus.publish(topic, payload, { qos: 1, retain });
    },
    later: (ms, act) => {
      clock.after(ms, () => {
        if (!over) act();
      });
    },
    struck: () => {
      deeds++;
    },
  });
  return {
    said,
    deeds: () => deeds,
    end: () => {
      over = true;
    },
    between: (bus, clientId, clock) => {
      if (hands === null) {
        hands = handsOf(bus, clock);
        treatment.begin?.(hands);
      }
      const own = hands;
      return {
        publish: (topic, payload, how) => {
          if (over) return bus.publish(topic, payload, how);
          const message = { topic, payload: Uint8Array.from(payload), from: clientId };
          said.push(message);
          if (said.length > SAID_MAX) said.shift();
          treatment.treat(message, own);
          return new Promise((resolve) => clock.after(WORD_MS, resolve));
        },
        subscribe: (filter, handler) => bus.subscribe(filter, handler),
        onLink: (handler) => bus.onLink(handler),
        close: () => bus.close(),
      };
    },
  };
}
