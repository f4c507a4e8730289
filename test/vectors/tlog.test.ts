import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import { bundleOf, bundlePath, entriesIn, tileOf, tilePath } from '../../runtime/core/log/tile.ts';
import { leafHash, MerkleTree } from '../../runtime/core/log/tree.ts';
import { vectorsOf } from './vectors.ts';

describe('C2SP tlog-tiles', () => {
  for (const { id, inputs, expected } of vectorsOf('tlog-tile'))
    it(id, () => {
      const entries = entriesIn(fromHex(inputs.entryBundleHex)) ?? [];
      assert.deepEqual(entries.map(toHex), expected.entries);
      assert.equal(toHex(bundleOf(entries)), inputs.entryBundleHex);
      const tree = new MerkleTree(nodeCrypto.sha256);
      for (const entry of entries) tree.append(leafHash(entry, nodeCrypto.sha256));
      assert.equal(toHex(tileOf(tree, 0, 0, tree.size).hashes), expected.level0TileHex);
      assert.equal(bundlePath({ index: 0, width: tree.size }), inputs.path);
      assert.equal(tilePath({ level: 0, index: 0, width: tree.size }), expected.level0TilePath);
    });
});
