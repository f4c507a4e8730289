/** A broker that says again what was said, says it to others, and spoils it. */
import type { SimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import type { Plant } from './plant.ts';

export interface Said {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Of what was said, the broker remembers the last so many messages. */
const KEPT_MAX = 400;
const EVERY_MS = 300;
const AT_A_TIME = 3;

/** Begins at once; the returned function ends it. */
export function createBrokerMischief(
  plant: Plant,
  what: 'replays' | 'crosses' | 'spoils',
  draw: SimulatedEntropy,
): () => void {
  const open = { clean: true, mayPublish: () => true, mayReceive: () => true };
  const rogue = plant.broker.connect({ clientId: `rogue-${what}-${plant.clock.monotonicMs()}`, ...open });
  let over = false;
  const act = (): void => {
    if (over) return;
    for (let i = 0; i < AT_A_TIME; i++) {
      const said = plant.said[Math.floor(draw.fraction() * plant.said.length)];
      if (said === undefined) break;
      const { topic, payload } = changed[what](said, draw);
      // What it says of itself is of no interest: another mishap of its name may have taken its place.
      rogue
        .publish(topic, payload, { qos: 0, retain: draw.chance(0.1) && what === 'spoils' })
        .catch(() => undefined); // What it is told is of no interest to it.
    }
    plant.clock.after(EVERY_MS, act);
  };
  act();
  return () => {
    over = true;
  };
}

/** Keeps what is said, for whoever wants to say it again. */
export function keepSaid(said: Said[], topic: string, payload: Uint8Array): void {
  said.push({ topic, payload });
  if (said.length > KEPT_MAX) said.shift();
}

const changed: Readonly<
  Record<'replays' | 'crosses' | 'spoils', (said: Said, draw: SimulatedEntropy) => Said>
> = {
  replays: (said) => said,
  crosses: ({ topic, payload }) => ({
    topic: topic.replace(/station-(\d)/, (_, n) => `station-${n === '1' ? '2' : '1'}`),
    payload,
  }),
  spoils: ({ topic, payload }, draw) => ({ topic, payload: spoilt(payload, draw) }),
};

function spoilt(payload: Uint8Array, draw: SimulatedEntropy): Uint8Array {
  const at = Math.floor(draw.fraction() * payload.length);
  const kind = draw.fraction();
  if (kind < 0.3) return payload.slice(0, at);
  if (kind < 0.5) return Buffer.concat([payload, draw.bytes(1 + Math.floor(draw.fraction() * 64))]);
  const other = Uint8Array.from(payload);
  other[at] = (other[at] ?? 0) ^ (1 << Math.floor(draw.fraction() * 8));
  return other;
}
