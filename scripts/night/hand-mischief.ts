/** What people do to a plant with their hands: they take units out and put them back, and some have the station's wires. */
import type { Bytes } from '../../runtime/core/bytes.ts';
import type { Release } from '../../runtime/core/gate/release.ts';
import type { Place, Plant } from './plant.ts';
import { durableFacts } from './rules/rule.ts';
import { count, type Standing } from './standing.ts';

/** Longer than a controller waits for its host, and shorter than its gate stands open. */
const HOST_LOST_MS = 2_500;

/** From the word to the open gate. */
const OPENING_MS = 200;
/** Until the next unit is there. */
const NEXT_MS = 1_200;

export function watchOpenings(standing: Standing, plant: Plant, place: Place): void {
  const { story } = standing;
  let opened = 0;
  let asked = 0;
  const own = story.mishaps.filter((mishap) => 'opening' in mishap && mishap.program === place.name);
  place.fixture.onWitness(({ event }) => {
    if (event !== 'OPENED' || plant.clock.monotonicMs() >= story.calmMs) return;
    opened += 1;
    const mishap = own.find((one) => one.kind === 'host-lost' && one.opening === opened);
    if (mishap === undefined) return;
    count(standing, mishap);
    place.fixture.line.stick('unit', true);
    plant.programs.get(place.name)?.jig?.loseLink(HOST_LOST_MS);
    plant.clock.after(HOST_LOST_MS, () => place.fixture.line.stick('unit', false));
  });
  place.onOpen = () => {
    if (plant.clock.monotonicMs() >= story.calmMs) return false;
    asked += 1;
    const mishap = own.find((one) => one.kind === 'snatched' && one.opening === asked);
    if (mishap?.kind !== 'snatched') return false;
    count(standing, mishap);
    const { lost, forMs } = mishap;
    plant.clock.after(lost ? 0 : OPENING_MS, () => carry(standing, plant, place, { to: place.name, forMs }));
    plant.clock.after(NEXT_MS, () => openAsRogue(standing, plant, place));
    return lost;
  };
}

/** How long somebody waits with a unit in hand before looking again whether the nest is empty. */
const LOOK_MS = 500;

export function carry(
  { inHand }: Standing,
  plant: Plant,
  from: Place,
  { to, forMs }: { readonly to: string; readonly forMs: number },
): boolean {
  const unit = from.fixture.line.unit();
  const target = plant.places.find(({ name }) => name === to);
  if (unit === null || target === undefined || !from.fixture.line.takeByHand()) return false;
  inHand.add(unit);
  const put = (): void => {
    if (target.fixture.line.unit() !== null || target.fixture.line.waiting() > 0) {
      plant.clock.after(LOOK_MS, put);
      return;
    }
    target.fixture.line.putByHand(unit).then(
      () => inHand.delete(unit),
      () => plant.clock.after(LOOK_MS, put), // A unit is on its way into the nest.
    );
  };
  plant.clock.after(forMs, put);
  return true;
}

/** Questions of a rogue carry numbers of their own. */
const ROGUE_QUERY = 1_000_000;
/** How long a rogue is at it, how often it asks, and how long it leaves the clamp to open. */
const ROGUE_MS = 4_000;
const ROGUE_EVERY_MS = 500;
const UNCLAMP_MS = 200;

/** Opens the clamp and asks for what was ever released and for what never was, as somebody could who has the
 * station's wires and its disk. */
export function openAsRogue({ draw, story }: Standing, { clock }: Plant, place: Place): void {
  const { fixture } = place;
  const end = Math.min(clock.monotonicMs() + ROGUE_MS, story.calmMs);
  const ask = (): void => {
    const { gateLog } = place;
    const forged: Release = {
      controller: fixture.self.controller,
      nest: fixture.self.nest,
      lane: draw.chance(0.5) ? 'good' : 'reject',
      operation: '00000000-0000-4000-8000-000000000000',
      epoch: 1,
      arrival: gateLog.findLast((line) => line.event === 'ARRIVED')?.arrival ?? 0,
      counter: Math.max(0, ...gateLog.map((line) => line.counter)) + 1,
      tag: hex(draw.bytes(16)),
    };
    for (const release of [...knownReleases(place), forged, { ...forged, tag: null }])
      fixture.open(release, ROGUE_QUERY);
  };
  const act = (): void => {
    if (clock.monotonicMs() >= end) return;
    fixture.line.clampValve(true);
    clock.after(UNCLAMP_MS, ask);
    clock.after(ROGUE_EVERY_MS, act);
  };
  act();
}

/** What stands on the station's storage, asked for or not. */
function knownReleases({ ownDisks, releases }: Place): readonly Release[] {
  const intended = ownDisks.flatMap((disk) =>
    durableFacts(disk).flatMap((fact) => (fact.name === 'release-intent' ? [fact.release] : [])),
  );
  return [...new Set([...intended, ...releases])];
}

function hex(bytes: Bytes): string {
  return Buffer.from(bytes).toString('hex');
}
