/** Every chip of the table of mutants in the nest of a whole line: what becomes of its unit is what the table says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { goodCards } from '../../drivers/card-reader/virtual-se/mutants/good-cards.ts';
import { liars, type MannerName, manners } from '../../drivers/card-reader/virtual-se/mutants/table.ts';
import { toText } from '../../runtime/core/bytes.ts';
import { createWorld } from '../../scripts/simulation/world.ts';
import { allFiles, readSource } from '../tidy/sources.ts';
import { assertReleased, type Fate, fateOf, heldWith, lanesOf, recordsOf } from './fates.ts';

const names = <Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] =>
  Object.keys(table) as Name[];

/** What a chip says is judged by ciphers and hashes, which are the real ones. */
const CHEAP = true;

/** Longest a line may take in simulated time. */
const DAY_MS = 86_400_000;

describe('a liar in the nest', () => {
  for (const name of names(liars)) {
    const { outcome, fault } = manners[name];
    it(`${name} is ${outcome} with ${fault}`, async () => assertFate(await fateOf({ name }, CHEAP), name));
  }

  it('that took the name of a good unit is rejected on its claim, and that unit is released, never held', async () => {
    const world = await createWorld({
      seed: 'namesake',
      units: 2,
      stations: 1,
      cheap: CHEAP,
      manners: { 1: { name: 'claims-another-eid' } },
    });
    await world.run(120_000);
    assert.deepEqual(
      [...lanesOf(world)],
      [
        [1, 'reject'],
        [2, 'good'],
      ],
    );
    assert.equal(await recordsOf(world), 1);
    assert.deepEqual(heldWith(world), []);
    const [rejected, genuine] = await world.fleet
      .connect()
      .transaction((tx) =>
        Promise.all([
          tx.listRejections(9).then(([row]) => JSON.parse(toText(row?.entry ?? new Uint8Array(0)))),
          tx.operationByEid(eidOfIndex(2)),
        ]),
      );
    assert.deepEqual([rejected.eid, rejected.effect], [eidOfIndex(2), 'disowns']);
    assert.notEqual(rejected.seFingerprint, genuine?.seFingerprint);
    assert.equal(genuine?.state, 'released');
  });

  it('lies the same way each time', async () => {
    const history = async (name: MannerName) => (await fateOf({ name }, CHEAP)).world.historyHash();
    for (const name of ['wrong-enc', 'answers-as-another', 'signs-with-another-key'] as const)
      assert.equal(await history(name), await history(name), name);
  });
});

describe('a good card that differs', () => {
  for (const name of names(goodCards))
    it(`${name} is released and never held`, async () => {
      const fate = await fateOf({ name }, CHEAP);
      assert.deepEqual([fate.heldWith, fate.rejectedWith], [[], null]);
      await assertReleased(fate);
    });

  it('stands between honest ones on one line, and nobody is held or rejected', async () => {
    const chosen = Object.fromEntries(names(goodCards).map((name, i) => [2 * i + 1, { name }]));
    const units = 2 * names(goodCards).length;
    const world = await createWorld({
      seed: 'good cards',
      units,
      stations: 1,
      cheap: CHEAP,
      manners: chosen,
    });
    await world.run(DAY_MS);
    assert.deepEqual(new Set(lanesOf(world).values()), new Set(['good']));
    assert.equal(lanesOf(world).size, units);
    assert.deepEqual(heldWith(world), []);
  });
});

describe('a good chip that loses contact', () => {
  for (const name of ['torn-before', 'torn-after'] as const)
    it(`${name}: at each command of its unit it is held, asked again, and released`, async () => {
      const { commands } = await fateOf(undefined, CHEAP);
      for (let at = 1; at <= commands; at++) {
        const fate = await fateOf({ name, at }, CHEAP);
        assert.deepEqual(fate.heldWith, ['CARD_OUTCOME_UNKNOWN'], `command ${at} of ${commands}`);
        await assertReleased(fate, `command ${at} of ${commands}`);
      }
    });

  it('bounces: before each command of its unit, and is released, held at most once', async () => {
    const { commands } = await fateOf(undefined, CHEAP);
    for (let at = 1; at <= commands; at++) {
      const fate = await fateOf({ name: 'bounces', at }, CHEAP);
      assert.ok(fate.heldWith.length <= 1, `command ${at}: ${fate.heldWith.join(' ')}`);
      await assertReleased(fate, `command ${at} of ${commands}`);
    }
  });
});

describe('the product', () => {
  it('reaches nothing of the virtual SE from any program, not even through others', () => {
    const sources = new Map(
      allFiles()
        .filter((path) => path.endsWith('.ts'))
        .map((path) => [path, readSource(path)]),
    );
    const reached = new Set([...sources.keys()].filter((path) => path.startsWith('runtime/')));
    for (const path of reached)
      for (const { to, relative } of sources.get(path)?.imports ?? []) if (relative) reached.add(to);
    assert.ok(reached.has('runtime/gateway/main.ts') && reached.has('drivers/index.ts'));
    assert.deepEqual(
      [...reached].filter((path) => path.includes('virtual-se')),
      [],
    );
  });
});

async function assertFate(fate: Fate, name: MannerName): Promise<void> {
  const { outcome, fault } = manners[name];
  if (outcome === 'resumed') {
    assert.deepEqual(fate.heldWith, [fault]);
    await assertReleased(fate);
    return;
  }
  assert.equal(await recordsOf(fate.world), 0);
  if (outcome === 'rejected') {
    assert.deepEqual([fate.lane, fate.rejectedWith, fate.heldWith], ['reject', fault, []]);
    return;
  }
  assert.equal(outcome, 'held');
  assert.deepEqual([fate.lane, fate.rejectedWith], [null, null]);
  assert.deepEqual([...new Set(fate.heldWith)], [fault]);
  assert.ok(fate.heldWith.length > 1, 'it is tried again');
}
