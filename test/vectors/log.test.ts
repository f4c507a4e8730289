import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { equal, fromBase64, fromHex, fromText, toHex } from '../../runtime/core/bytes.ts';
import {
  type NoteKey,
  openCheckpoint,
  openNote,
  signedNote,
  verifierKey,
} from '../../runtime/core/log/checkpoint.ts';
import { leafHash, MerkleTree, verifyConsistency, verifyInclusion } from '../../runtime/core/log/tree.ts';
import { vectorsOf } from './vectors.ts';

const { sha256 } = nodeCrypto;

function treeOf(entries: readonly Uint8Array[]): MerkleTree {
  const tree = new MerkleTree(sha256);
  for (const entry of entries) tree.append(leafHash(entry, sha256));
  return tree;
}

/** A key as the vectors write it: `name+hash+base64(type || key)`. */
function keyOf(vkey: string): NoteKey {
  const [name = '', , key = ''] = vkey.split(/\+(?=[0-9a-f]{8}\+)|(?<=\+[0-9a-f]{8})\+/);
  return { name, publicKey: fromBase64(key).subarray(1) };
}

describe('RFC 6962 section 2.1', () => {
  for (const { id, inputs, expected } of vectorsOf('rfc6962-root'))
    it(`root: ${id}`, () => {
      assert.equal(toHex(treeOf(inputs.leaves.map(fromHex)).root()), expected.root);
    });
  for (const { id, inputs, expected } of vectorsOf('rfc6962-inclusion'))
    it(`inclusion: ${id}`, () => {
      const claim = {
        index: inputs.leafIndex,
        size: inputs.treeSize,
        leaf: fromHex(inputs.leafHash),
        proof: inputs.proof.map(fromHex),
        root: fromHex(inputs.root),
      };
      assert.equal(verifyInclusion(claim, sha256), expected.valid);
    });
  for (const { id, inputs, expected } of vectorsOf('rfc6962-consistency'))
    it(`consistency: ${id}`, () => {
      const claim = {
        first: inputs.size1,
        second: inputs.size2,
        firstRoot: fromHex(inputs.root1),
        secondRoot: fromHex(inputs.root2),
        proof: inputs.proof.map(fromHex),
      };
      assert.equal(verifyConsistency(claim, sha256), expected.valid);
    });

  it('proves every leaf in every tree of up to 70 leaves, and nothing else', () => {
    const entries = Array.from({ length: 70 }, (_, i) => fromText(`entry ${i}`));
    const tree = treeOf(entries);
    for (let size = 1; size <= 70; size++)
      for (let index = 0; index < size; index++) {
        const root = treeOf(entries.slice(0, size)).root();
        const proof = tree.inclusionProof(index, size);
        const leaf = tree.leaf(index);
        assert.ok(verifyInclusion({ index, size, leaf, proof, root }, sha256));
        assert.ok(!verifyInclusion({ index, size, leaf: sha256(leaf), proof, root }, sha256));
      }
  });

  it('proves that each tree grew from each smaller one', () => {
    const entries = Array.from({ length: 66 }, (_, i) => fromText(`entry ${i}`));
    const tree = treeOf(entries);
    for (let second = 1; second <= 66; second++)
      for (let first = 1; first <= second; first++) {
        const proof = tree.consistencyProof(first, second);
        const claim = { first, second, firstRoot: tree.root(first), secondRoot: tree.root(second), proof };
        assert.ok(verifyConsistency(claim, sha256), `${first} to ${second}`);
      }
  });

  it('is after truncation the tree it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }), (kept, more) => {
        const tree = treeOf(Array.from({ length: kept + more }, (_, i) => fromText(`a${i}`)));
        tree.truncate(kept);
        for (let i = 0; i < more; i++) tree.append(leafHash(fromText(`b${i}`), sha256));
        const expected = treeOf([
          ...Array.from({ length: kept }, (_, i) => fromText(`a${i}`)),
          ...Array.from({ length: more }, (_, i) => fromText(`b${i}`)),
        ]);
        return equal(tree.root(), expected.root());
      }),
    );
  });
});

describe('C2SP signed-note and tlog-checkpoint', () => {
  for (const { id, inputs, expected } of vectorsOf('checkpoint'))
    it(id, () => {
      const checkpoint = openCheckpoint(inputs.note, keyOf(inputs.vkey), nodeCrypto);
      assert.equal(checkpoint?.size, expected.size);
      assert.equal(toHex(checkpoint?.root ?? new Uint8Array(0)), expected.root);
      if (inputs.entriesHex !== undefined)
        assert.equal(toHex(treeOf(inputs.entriesHex.map(fromHex)).root()), expected.root);
    });
  for (const { id, inputs, expected } of vectorsOf('signed-note').filter(
    (v) => v.inputs.note !== undefined && v.inputs.vkey !== undefined,
  ))
    it(id, () => {
      const opened = openNote(inputs.note, [keyOf(inputs.vkey)], nodeCrypto);
      assert.equal(opened !== null, expected.verified ?? expected.error === undefined);
    });
  it('signs a note as golang/mod does', () => {
    const vector = vectorsOf('signed-note').find((v) => v.id === 'note-sign-enoch-zero-seed');
    assert.ok(vector);
    const der = Buffer.concat([
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      fromHex(vector.inputs.seed),
    ]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const key = keyOf(vector.expected.vkey);
    const note = signedNote(
      vector.inputs.text,
      key,
      sign(null, fromText(vector.inputs.text), privateKey),
      nodeCrypto,
    );
    assert.equal(note.split('\n').at(-2), vector.expected.signatureLine.trimEnd());
    assert.equal(verifierKey(key, nodeCrypto), vector.expected.vkey);
  });
});
