/** Lets the mishaps of a story befall a plant, and counts those that truly struck. */
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createBrokerMischief } from './broker-mischief.ts';
import { exchangeDisk } from './disk-mischief.ts';
import { carry, openAsRogue, watchOpenings } from './hand-mischief.ts';
import type { Crossing, Order, Watch } from './life.ts';
import type { Place, Plant } from './plant.ts';
import { backUp, restore } from './restore-mischief.ts';
import { count, type Standing } from './standing.ts';
import type { Lasting, Mishap, MishapKind, Story } from './story.ts';

export interface Mischief {
  readonly watch: Watch;
  /** How often each kind struck. */
  readonly struck: ReadonlyMap<MishapKind, number>;
  /** Calls that were crossed: `station journal.append`. */
  readonly crossed: ReadonlySet<string>;
  /** Calls at which a program died. */
  readonly died: ReadonlySet<string>;
  /** Units that are in somebody's hands. */
  readonly inHand: ReadonlySet<number>;
  /** How often each program crossed a port: its last number. */
  readonly counts: ReadonlyMap<string, number>;
  begin(plant: Plant): void;
}

export function createMischief(story: Story): Mischief {
  const standing: Standing = {
    story,
    struck: new Map(),
    crossed: new Set(),
    died: new Set(),
    inHand: new Set(),
    counts: new Map(),
    atCrossings: new Map(
      story.mishaps.flatMap((mishap) =>
        'nth' in mishap ? [[`${mishap.program} ${mishap.nth}`, mishap]] : [],
      ),
    ),
    draw: createSimulatedEntropy(`mischief/${story.seed}`),
    backups: new Map(),
    plant: null,
  };
  const { struck, crossed, died, inHand, counts } = standing;
  return {
    watch: (crossing) => judge(standing, crossing),
    struck,
    crossed,
    died,
    inHand,
    counts,
    begin: (plant) => {
      standing.plant = plant;
      for (const mishap of story.mishaps)
        if ('atMs' in mishap && mishap.kind !== 'disk-exchanged')
          plant.clock.after(mishap.atMs, () => strike(standing, plant, mishap));
      for (const mishap of story.mishaps)
        if (mishap.kind === 'store-restored' || mishap.kind === 'ledger-restored')
          plant.clock.after(mishap.backupMs, () => backUp(standing, plant, mishap));
        else if (mishap.kind === 'disk-exchanged') exchangeDisk(plant, mishap, () => count(standing, mishap));
      for (const place of plant.places) watchOpenings(standing, plant, place);
      plant.clock.after(story.calmMs, () => plant.calm());
    },
  };
}

function judge(standing: Standing, { program, call, phase }: Crossing): Order {
  const nth = (standing.counts.get(program) ?? 0) + 1;
  standing.counts.set(program, nth);
  const name = `${program.replace(/-\d+$/, '')} ${call} ${phase}`;
  standing.crossed.add(name);
  if ((standing.plant?.clock.monotonicMs() ?? 0) >= standing.story.calmMs) return 'go';
  const mishap = standing.atCrossings.get(`${program} ${nth}`);
  if (mishap === undefined) return 'go';
  count(standing, mishap);
  if (mishap.kind === 'fail') return 'fail';
  standing.died.add(name);
  return mishap.death;
}

type Timed = Exclude<Extract<Mishap, { atMs: number }>, { kind: 'disk-exchanged' }>;

function strike(standing: Standing, plant: Plant, mishap: Timed): void {
  if (mishap.kind === 'broker-restart') {
    for (const name of plant.programs.keys()) plant.broker.cut(name);
    plant.clock.after(mishap.forMs, () => mendAll(plant));
    count(standing, mishap);
    return;
  }
  if (mishap.kind === 'store-restored' || mishap.kind === 'ledger-restored') {
    restore(standing, plant, mishap);
    count(standing, mishap);
    return;
  }
  const place = plant.places.find(({ name }) => name === mishap.program) ?? null;
  if (mishap.kind === 'token-lost') {
    const token = plant.programs.get(mishap.program)?.token;
    if (token === null || token === undefined) return;
    token.loseChannels();
  } else if (mishap.kind === 'board-reset') {
    if (place === null) return;
    const jig = plant.programs.get(mishap.program)?.jig;
    if (jig) jig.resetBoard(200);
    else place.fixture.reset();
  } else if (mishap.kind === 'carried') {
    if (place === null || !carry(standing, plant, place, mishap)) return;
  } else if (mishap.kind === 'rogue-open') {
    if (place === null) return;
    openAsRogue(standing, plant, place);
  } else {
    const end = begins[mishap.kind](plant, mishap, place, standing);
    plant.clock.after(Math.min(mishap.forMs, Math.max(0, standing.story.calmMs - mishap.atMs)), end);
  }
  count(standing, mishap);
}

type Begin = (
  plant: Plant,
  mishap: Extract<Mishap, { kind: Lasting }>,
  place: Place | null,
  standing: Standing,
) => () => void;

const stuck =
  (what: 'clamp' | 'gate' | 'unit'): Begin =>
  (_, __, place) => {
    place?.fixture.line.stick(what, true);
    return () => place?.fixture.line.stick(what, false);
  };
const isolated =
  (directions: { readonly outgoing: boolean; readonly incoming: boolean }): Begin =>
  ({ broker }, { program }) => {
    broker.isolate(program, directions);
    return () => broker.isolate(program, { outgoing: false, incoming: false });
  };
const brokers =
  (what: 'replays' | 'crosses' | 'spoils'): Begin =>
  (plant, _, __, { story }) =>
    createBrokerMischief(plant, what, createSimulatedEntropy(`${what}/${story.seed}`));

/** Each begins a mishap and gives back what ends it. */
const begins: Readonly<Record<Lasting, Begin>> = {
  'cut-off': (plant, { program }) => {
    plant.broker.cut(program);
    return () => mendAll(plant);
  },
  deaf: isolated({ outgoing: false, incoming: true }),
  mute: isolated({ outgoing: true, incoming: false }),
  'jig-link-lost': (plant, { program, forMs }) => {
    plant.programs.get(program)?.jig?.loseLink(forMs);
    return () => undefined;
  },
  'clamp-stuck': stuck('clamp'),
  'gate-stuck': stuck('gate'),
  'unit-stuck': stuck('unit'),
  'reader-away': (_, __, place) => {
    if (place !== null) place.readerAway = true;
    return () => {
      if (place !== null) place.readerAway = false;
    };
  },
  'bad-contact': (_, __, place) => {
    if (place !== null) place.readerLoss = 0.05;
    return () => {
      if (place !== null) place.readerLoss = 0;
    };
  },
  'store-down': ({ fleet }) => {
    fleet.setReachable(false);
    return () => fleet.setReachable(true);
  },
  'space-low': (_, __, place) => {
    if (place !== null) place.hasRoom = false;
    return () => {
      if (place !== null) place.hasRoom = true;
    };
  },
  'ledger-down': ({ ledger }) => {
    ledger.setReachable(false);
    return () => ledger.setReachable(true);
  },
  'clock-wrong': ({ skewMs }, { program, byMs }) => {
    skewMs.set(program, byMs);
    return () => skewMs.delete(program);
  },
  replays: brokers('replays'),
  crosses: brokers('crosses'),
  spoils: brokers('spoils'),
};

/** A program that is down has no connection to mend. */
export function mendAll(plant: Plant): void {
  for (const { name, life } of plant.programs.values()) if (life !== null) plant.broker.mend(name);
}
