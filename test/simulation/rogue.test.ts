/**
 * A station in wrong hands alters, drops, repeats or reorders at every place of every list. Where a code protects
 * the place it gets no confirmation. What no code protects is no evidence: a confirmation that it gets all the
 * same is true of the chip.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromBase64, toHex, toText } from '../../runtime/core/bytes.ts';
import { type Confirmation, confirmationPayload } from '../../runtime/core/messages/receipts.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { type MisdeedName, misdeeds, type Place, rogueReader, type Seen } from './rogue-reader.ts';

/** Longest that the first dialogue takes; later ones are honest, and not waited for. */
const WATCHED_MS = 4_000;
/** What ends it. */
const ENDS: readonly Fact['name'][] = ['confirmed', 'held', 'reject-intent'];
const GET_COUNTER = '84ca00c1';

interface Told {
  readonly world: World;
  readonly seen: readonly Seen[];
  /** Of the first dialogue. */
  readonly confirmation: Confirmation | null;
}

async function dialogue(
  rogue: { readonly misdeed: MisdeedName; readonly place: Place } | null,
): Promise<Told> {
  const seen: Seen[] = [];
  const world = await createWorld({
    seed: 'rogue',
    units: 1,
    stations: 1,
    cheap: true,
    betweenReader: (reader) => rogueReader(reader, rogue, seen),
  });
  const facts = (): readonly Fact[] =>
    world.stations.flatMap(({ program }) => program.nests.flatMap((nest) => nest.view.facts));
  const over = (): boolean => facts().some(({ name }) => ENDS.includes(name));
  while (!over() && (await world.clock.runNext(WATCHED_MS)));
  const [confirmation = null] = facts()
    .flatMap((fact) => (fact.name === 'confirmed' ? [confirmationIn(fact.receipt)] : []))
    .filter(({ epoch }) => epoch === 1);
  return { world, seen, confirmation };
}

function confirmationIn(jws: string): Confirmation {
  return confirmationPayload.parse(JSON.parse(toText(fromBase64(jws.split('.')[1] ?? ''))));
}

/** Commands without C-MAC, answers without R-MAC, and the counter, which a chip need not give. */
function unprotected({ command, answer }: Seen): boolean {
  const plain = (Number.parseInt(command.slice(0, 2) || '00', 16) & 0x04) === 0;
  return plain || !answer.endsWith('9000') || command.startsWith(GET_COUNTER);
}

function assertTrue({ world, confirmation }: Told, why: string): void {
  const chip = world.chips.get(1)?.state;
  assert.ok(chip !== undefined && confirmation !== null);
  const { keys, card, certificate, eid } = confirmation;
  assert.equal(eid, chip.eid, why);
  assert.deepEqual(
    chip.keySets.map((set) => set.keyVersion),
    [keys.keyVersion],
    why,
  );
  assert.deepEqual(card.keyVersions, [keys.keyVersion], why);
  assert.equal(card.lifeCycle, chip.lifeCycle, why);
  assert.ok(card.sequenceCounter === null || card.sequenceCounter === chip.keySets[0]?.sequenceCounter, why);
  const stored = Object.values(chip.objects).join(' ');
  assert.ok(!('absent' in certificate) && stored.includes(toHex(fromBase64(certificate.der))), why);
}

describe('a station in wrong hands', () => {
  it('gets a confirmation when it is honest, and it is true', async () => {
    const told = await dialogue(null);
    assertTrue(told, 'honest');
    assert.ok(told.seen.length > 40, `${told.seen.length} actions`);
    assert.ok(told.seen.filter((place) => !unprotected(place)).length > 25);
  });

  for (const misdeed of Object.keys(misdeeds) as MisdeedName[])
    it(`gets none at any protected place when it ${misdeed}, and elsewhere none that is untrue`, async () => {
      const { seen } = await dialogue(null);
      const confirmed: string[] = [];
      for (const place of seen) {
        const told = await dialogue({ misdeed, place });
        if (told.confirmation === null) continue;
        const where = `list ${place.list}, action ${place.action}: ${place.command.slice(0, 8)}`;
        assertTrue(told, where);
        if (!unprotected(place)) confirmed.push(where);
      }
      assert.deepEqual(confirmed, []);
    });
});
