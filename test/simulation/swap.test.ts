/** A chip that is exchanged in the middle of its dialogue, unseen by reader and presence sensor. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createVirtualSe, type VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { fromBase64, toHex, toText } from '../../runtime/core/bytes.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import type { CardReader } from '../../runtime/core/ports.ts';
import { identityRecord } from '../../runtime/core/record/identity-record.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { factsOf, stationOf } from './by-hand.ts';

/** Lists of a dialogue, and one that comes when it is over. */
const LISTS = 8;
/** The second is none of the two units that the line brings. */
const [FIRST, SECOND] = [1, 7];
const WATCHED_MS = 60_000;

/** The second chip lies in the reader from list `at` of the gateway on. */
async function swappedBefore(at: number): Promise<{ readonly world: World; readonly second: VirtualSe }> {
  let list = -1; // The station's own identification is list 0.
  let other: CardReader | null = null;
  const world: World = await createWorld({
    seed: 'swap',
    units: 2,
    stations: 1,
    cheap: true,
    betweenReader: (reader) => ({
      close: () => reader.close(),
      play: (actions) => {
        if (actions.at(-1)?.kind === 'command') list++;
        const there = list >= at && other !== null && !world.stations[0]?.gateLog.some(hasLeft);
        return there ? (other ?? reader).play(actions) : reader.play(actions);
      },
    }),
  });
  const second = createVirtualSe({
    state: freshChip({
      eid: eidOfIndex(SECOND),
      index: SECOND,
      transportMaster: world.parties.transportMaster,
      transportKeyVersion: cardProfiles['holdfast-virtual'].transportKeyVersion,
    }),
    entropy: createSimulatedEntropy('second'),
  });
  other = createSimulatedReader({ clock: world.clock, card: () => second });
  await world.run(WATCHED_MS);
  return { world, second };
}

const hasLeft = (line: { readonly event: string }): boolean => line.event === 'LEFT';

describe('a chip exchanged in mid-dialogue', () => {
  for (let at = 1; at <= LISTS; at++)
    it(`before list ${at}: is held, and has a true record of its own once the gate saw it come`, async () => {
      const { world, second } = await swappedBefore(at);
      const records = () => world.fleet.connect().transaction((tx) => tx.listRecords(10));
      assert.deepEqual(await records(), []);
      assert.equal(factsOf(world, 1).findLast((fact) => fact.name === 'held')?.fault.code, 'NEST_OCCUPIED');
      // The line brings the next one; what the reader shows stays the second chip.
      stationOf(world, 1).fixture.line.takeByHand();
      await world.run(2 * WATCHED_MS);
      const rows = await records();
      assert.ok(!rows.some((row) => row.eid === eidOfIndex(FIRST)));
      const row = rows.find(({ eid }) => eid === eidOfIndex(SECOND));
      assert.ok(row !== undefined);
      const record = identityRecord.parse(JSON.parse(toText(row.record)));
      const stored = Object.values(second.state.objects).join(' ');
      const { certificate } = record;
      assert.ok(!('absent' in certificate) && stored.includes(toHex(fromBase64(certificate.der))));
      // The first was touched at most: it is in nobody's records, and its operation waits for it.
      assert.notEqual(world.chips.get(FIRST)?.state.lifeCycle, 0x0f);
    });
});
