import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import { ofTiles } from '../../runtime/cli/audit/tile-check.ts';
import { createTileSource } from '../../runtime/cli/audit/tile-source.ts';
import { fromText, toHex } from '../../runtime/core/bytes.ts';
import { canonicalJson } from '../../runtime/core/canonical-json.ts';
import { fittingLeafOf, leafOf, readLeaf } from '../../runtime/core/log/leaf.ts';
import {
  bundleOf,
  bundlePath,
  entriesIn,
  fullTiles,
  partialWidth,
  tileHashes,
  tileLevels,
  tilePath,
} from '../../runtime/core/log/tile.ts';
import {
  foldRange,
  hashOfSpan,
  inclusionRanges,
  spanOf,
  subtreesOf,
} from '../../runtime/core/log/tile-proof.ts';
import { leafHash, MerkleTree } from '../../runtime/core/log/tree.ts';
import { event, grownLog, meansOf } from './grown-log.ts';

const { sha256 } = nodeCrypto;

function treeOf(size: number): MerkleTree {
  const tree = new MerkleTree(sha256);
  for (let i = 0; i < size; i++) tree.append(leafHash(fromText(`entry ${i}`), sha256));
  return tree;
}

describe('C2SP tlog-tiles', () => {
  it('names a tile by groups of three digits, and a partial one by its width', () => {
    assert.equal(tilePath({ level: 0, index: 1234067, width: 256 }), 'tile/0/x001/x234/067');
    assert.equal(tilePath({ level: 2, index: 0, width: 1 }), 'tile/2/000.p/1');
    assert.equal(bundlePath({ index: 1000, width: 17 }), 'tile/entries/x001/000.p/17');
  });

  it('a log of 70000 leaves has 273 full tiles and one 112 wide, 1 and 17 above, and 1 above that', () => {
    const shape = [0, 1, 2].map((level) => [fullTiles(level, 70_000), partialWidth(level, 70_000)]);
    assert.deepEqual(shape, [
      [273, 112],
      [1, 17],
      [0, 1],
    ]);
    assert.equal(tileLevels(70_000), 3);
  });

  it('gives back every bundle, and none of which a length is wrong', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), (entries) => {
        assert.deepEqual(entriesIn(bundleOf(entries))?.map(toHex), entries.map(toHex));
      }),
    );
    const bundle = bundleOf([fromText('one'), fromText('two')]);
    assert.equal(entriesIn(bundle.subarray(0, -1)), null);
    assert.equal(entriesIn(bundle.subarray(0, 6)), null);
    assert.throws(() => bundleOf([new Uint8Array(65_536)]), RangeError);
    assert.equal(entriesIn(bundleOf([new Uint8Array(65_535)]))?.[0]?.length, 65_535);
  });

  it('proves from tiles what the whole tree proves, at every size up to 70 and around 65,536 leaves', () => {
    const big = treeOf(66_000);
    const range = (start: number, end: number) =>
      foldRange(
        subtreesOf(start, end).map((subtree) => {
          const span = spanOf(subtree);
          const place = { level: span.level, index: span.tile, width: span.from + span.count };
          const hashes = tileHashes(big, place);
          const tile = Array.from({ length: span.from + span.count }, (_, i) =>
            hashes.subarray(i * 32, (i + 1) * 32),
          );
          return hashOfSpan(span, tile, sha256);
        }),
        sha256,
      );
    const proofOf = (index: number, size: number) =>
      inclusionRanges(index, size).map(([start, end]) => toHex(range(start, end)));
    const check = (index: number, size: number) =>
      assert.deepEqual(proofOf(index, size), big.inclusionProof(index, size).map(toHex), `${index}/${size}`);
    for (let size = 1; size <= 70; size++) for (let index = 0; index < size; index += 3) check(index, size);
    for (const size of [65_535, 65_536, 65_537, 66_000])
      for (const index of [0, 255, 256, 40_000, 65_534]) check(index, size);
    assert.equal(toHex(range(0, 66_000)), toHex(big.root(66_000)));
  });
});

describe('the tiles in the database', () => {
  it('are written in the transaction that fills them, and never again', async () => {
    const { store, grow, database } = await grownLog(255);
    const count = () => store.transaction((tx) => tx.countTiles(0));
    assert.equal(await count(), 0);
    await grow(255, 256);
    assert.equal(await count(), 1);
    await grow(256, 1025);
    const tiles = await store.transaction((tx) => tx.tiles(0, 1, 9));
    assert.deepEqual(
      tiles.map(({ index }) => index),
      [1, 2, 3],
    );
    assert.equal(await store.transaction((tx) => tx.countTiles(1)), 0);
    const leaves = await store.transaction((tx) => tx.leaves(256, 256));
    assert.equal(
      toHex(tiles[0]?.hashes ?? new Uint8Array(0)),
      leaves.map(({ hash }) => toHex(hash)).join(''),
    );
    assert.equal(database.tables.tiles.all().length, 4);
  });

  it('are not there when the transaction that filled them did not commit', async () => {
    const { store, sequencer, grow } = await grownLog(250);
    const failed = sequencer.add(async (draft) => {
      for (let i = 250; i < 260; i++) draft.append(event(i, 'never'));
      throw new Error('no');
    }, false);
    await assert.rejects(failed);
    assert.equal(await store.transaction((tx) => tx.countTiles(0)), 0);
    await grow(250, 256);
    assert.equal(await store.transaction((tx) => tx.countTiles(0)), 1);
  });

  it('are made at the start of a backend where an older one left none', async () => {
    const { store, database, ports } = await grownLog(1100);
    const all = database.tables.tiles.all();
    assert.equal(all.length, 4);
    database.tables.tiles.load(all.filter(({ index }) => index < 1));
    await new Sequencer(ports, 16).load();
    const byIndex = (a: { index: number }, b: { index: number }) => a.index - b.index;
    assert.deepEqual([...database.tables.tiles.all()].sort(byIndex), [...all].sort(byIndex));
    await store.transaction(async (tx) => {
      const { size, root } = await tx.readHead();
      const source = createTileSource(tx, size, nodeCrypto);
      assert.equal(toHex(await source.root(size)), toHex(root));
    });
  });

  it('are compared with the leaves: one that is another, or is missing, is named', async () => {
    const { store, database } = await grownLog(600);
    const tree = new MerkleTree(sha256);
    for (const { hash } of await store.transaction((tx) => tx.leaves(0, 600))) tree.append(hash);
    const reader = (await meansOf(store).openFleet?.('')) ?? assert.fail();
    const { tiles } = database.tables;
    assert.equal(await ofTiles(reader, tree, 600), null);
    const all = tiles.all();
    tiles.load(
      all.map((row) => (row.index === 1 ? { ...row, root: row.root.map((byte) => byte ^ 1) } : row)),
    );
    const other = { where: 'tile/0/001', why: 'it is not made of the leaves below it' };
    assert.deepEqual(await ofTiles(reader, tree, 600), other);
    tiles.load(all.filter(({ index }) => index !== 0));
    assert.deepEqual(await ofTiles(reader, tree, 600), { where: 'tile/0/000', why: 'it is missing' });
  });

  it('have a leaf of an event with any number of units: a list that is too long stands in it as number and hash', () => {
    const units = Array.from({ length: 5000 }, (_, i) => ({ serial: `${i}`.padStart(32, '0') }));
    const body = { plan: 'p', approvals: ['a', 'b'], certificates: units };
    const { entry } = fittingLeafOf('revocation', 'revocation/p', 'now', body, sha256);
    assert.ok(entry.length < 1000);
    assert.deepEqual(readLeaf(entry)?.body, {
      plan: 'p',
      approvals: ['a', 'b'],
      certificates: { count: 5000, sha256: toHex(sha256(fromText(canonicalJson(units)))) },
    });
    const few = { ...body, certificates: units.slice(0, 3) };
    const small = fittingLeafOf('revocation', 'revocation/p', 'now', few, sha256);
    assert.deepEqual(small, leafOf('revocation', 'revocation/p', 'now', few));
  });

  it('take no entry that a bundle could not hold', async () => {
    const { sequencer, store } = await grownLog(1);
    const large = leafOf('refusal', 'large', 'now', { units: 'x'.repeat(66_000) });
    await assert.rejects(
      sequencer.add(async (draft) => draft.append(large), false),
      { code: 'LEAF_TOO_LARGE' },
    );
    assert.equal((await store.transaction((tx) => tx.readHead())).size, 1);
  });
});
