/** How a named point is brought about: most lie on every unit's way, some need a misfortune first. */

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { fromHex } from '../../runtime/core/bytes.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import type { FixtureWorld } from '../laboratory/fixture-world.ts';
import type { StationPlaces } from '../laboratory/places.ts';

export type Scene = 'plain' | 'stuck-clamp' | 'foreign-chip' | 'taken-by-hand' | 'second-try' | 'small-chip';

/** `append:held:before` and the like: what must go wrong so that the station comes by. */
export function sceneOf(point: string): Scene {
  if (/^append:(held|resumed):/.test(point)) return 'stuck-clamp';
  if (/^append:(reject-intent|reject-registered|diverted):|^request:reject:|^list:look:/.test(point))
    return 'foreign-chip';
  if (point.startsWith('append:interrupted:')) return 'taken-by-hand';
  if (/^list:(recall|fleet-open|recognize):/.test(point)) return 'second-try';
  if (point.startsWith('list:rounds:')) return 'small-chip';
  return 'plain';
}

/** Where the first run is ended so that the second finds a key pair on the chip. */
export const BEFORE_RECALL = 'append:confirmed:before';

/** A chip of another maker: its transport keys are nobody's. */
export function placeForeignChip(places: StationPlaces, unit: number): void {
  placeChip(places, unit, { transportMaster: randomBytes(32) });
}

/** A chip without room for a scratch set. */
export function placeSmallChip(places: StationPlaces, vendor: string, unit: number): void {
  const transportMaster = fromHex(readFileSync(join(vendor, 'transport-master'), 'utf8'));
  placeChip(places, unit, { transportMaster, manner: { name: 'has-little-room' } });
}

type Making = Pick<Parameters<typeof freshChip>[0], 'transportMaster' | 'manner'>;

function placeChip(places: StationPlaces, unit: number, making: Making): void {
  const eid = eidOfIndex(unit);
  const { transportKeyVersion } = cardProfiles['holdfast-virtual'];
  const state = freshChip({ eid, index: unit, transportKeyVersion, ...making });
  writeFileSync(join(places.chips, `${eid}.json`), JSON.stringify(state), { mode: 0o600 });
}

export async function stickClamp(world: FixtureWorld, stuck: boolean): Promise<void> {
  await world.board({ verb: 'stick', what: 'clamp', stuck });
}

/** The unit is taken out of the nest and put back: the visit is interrupted, another begins. */
export async function takeAndPutBack(world: FixtureWorld, unit: number): Promise<void> {
  await world.board({ verb: 'take-by-hand' });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await world.board({ verb: 'put-by-hand', index: unit });
}
