import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import type { Checkpoint } from '../../runtime/core/log/checkpoint.ts';
import { readVerifierKey } from '../../runtime/core/log/note.ts';
import { bundleOf, bundlePath, entriesIn, tileHashes, tilePath } from '../../runtime/core/log/tile.ts';
import { leafHash, MerkleTree } from '../../runtime/core/log/tree.ts';
import {
  addCheckpointText,
  judgeAddCheckpoint,
  logOf,
  readAddCheckpoint,
  type WitnessVerdict,
} from '../../runtime/core/log/witness.ts';
import { vectorsOf } from './vectors.ts';

describe('C2SP tlog-tiles', () => {
  for (const { id, inputs, expected } of vectorsOf('tlog-tile'))
    it(id, () => {
      const entries = entriesIn(fromHex(inputs.entryBundleHex)) ?? [];
      assert.deepEqual(entries.map(toHex), expected.entries);
      assert.equal(toHex(bundleOf(entries)), inputs.entryBundleHex);
      const tree = new MerkleTree(nodeCrypto.sha256);
      for (const entry of entries) tree.append(leafHash(entry, nodeCrypto.sha256));
      assert.equal(toHex(tileHashes(tree, { level: 0, index: 0, width: tree.size })), expected.level0TileHex);
      assert.equal(bundlePath({ index: 0, width: tree.size }), inputs.path);
      assert.equal(tilePath({ level: 0, index: 0, width: tree.size }), expected.level0TilePath);
    });
});

describe('C2SP tlog-witness', () => {
  for (const { id, inputs, expected } of vectorsOf('tlog-witness'))
    it(`${id}: the steps of a published transcript; an unknown log is 404, where its program said 403`, () => {
      const log = readVerifierKey(inputs.logVkey, nodeCrypto);
      assert.ok(log);
      let last: Checkpoint | null = null;
      for (const step of expected.steps) {
        const request = readAddCheckpoint(step.request);
        assert.ok(request);
        assert.equal(addCheckpointText(request), step.request);
        const verdict: WitnessVerdict = judgeAddCheckpoint(request, logOf(request, [log]), last, nodeCrypto);
        assert.equal(verdict.status, step.assert.includes('unknown log') ? 404 : step.status);
        if (verdict.status === 200) last = verdict.next;
        assert.equal(last?.size, step.treeSizeAfter);
      }
    });
});
