import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { equal, fromBase64, fromHex, fromText, toHex, toText } from '../../runtime/core/bytes.ts';
import { openCheckpoint, parseCheckpoint } from '../../runtime/core/log/checkpoint.ts';
import {
  cosignatureLine,
  cosignatureMessage,
  type NoteKey,
  openNote,
  readNote,
  readVerifierKey,
  SignatureType,
  signedNote,
  verifierKey,
  verifyNote,
} from '../../runtime/core/log/note.ts';
import { leafHash, MerkleTree, verifyConsistency, verifyInclusion } from '../../runtime/core/log/tree.ts';
import { type Vector, vectorsOf } from './vectors.ts';

const { sha256 } = nodeCrypto;

function treeOf(entries: readonly Uint8Array[]): MerkleTree {
  const tree = new MerkleTree(sha256);
  for (const entry of entries) tree.append(leafHash(entry, sha256));
  return tree;
}

/** A key as the vectors write it: `name+hash+base64(type || key)`. */
function keyOf(vkey: string): NoteKey {
  const key = readVerifierKey(vkey, nodeCrypto);
  assert.ok(key !== null, vkey);
  return key;
}

/** @param seed Ed25519 private key, 32 bytes */
function signWith(seed: Uint8Array, message: Uint8Array): Uint8Array {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return sign(null, message, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
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
  it('signs with the key of a published note what was published', () => {
    const vector = vectorsOf('signed-note').find((v) => v.id === 'note-sign-peter');
    assert.ok(vector);
    const seed = fromBase64(vector.inputs.skey.split('+').slice(4).join('+')).subarray(1);
    const key = keyOf(vector.expected.vkey);
    const { text } = vector.inputs;
    assert.equal(signedNote(text, key, signWith(seed, fromText(text)), nodeCrypto), vector.expected.note);
  });
  it('signs a note as golang/mod does', () => {
    const vector = vectorsOf('signed-note').find((v) => v.id === 'note-sign-enoch-zero-seed');
    assert.ok(vector);
    const key = keyOf(vector.expected.vkey);
    const { seed, text } = vector.inputs;
    const note = signedNote(text, key, signWith(fromHex(seed), fromText(text)), nodeCrypto);
    assert.equal(note.split('\n').at(-2), vector.expected.signatureLine.trimEnd());
    assert.equal(verifierKey(key, nodeCrypto), vector.expected.vkey);
  });
});

describe('C2SP tlog-cosignature', () => {
  it('sigsum-testverify: the note is by its log and by its witness, at the time that the witness says', () => {
    const { inputs, expected } = vectorNamed('cosignature-v1', 'sigsum-testverify');
    assert.equal(
      toText(cosignatureMessage(inputs.checkpointBody, inputs.timestamp)),
      expected.cosignedMessage,
    );
    const keys = [keyOf(expected.logVkey), keyOf(expected.witnessVkey)];
    const times = verifyNote(expected.note, keys, nodeCrypto)?.map(({ time }) => time);
    assert.deepEqual(times, [null, inputs.timestamp]);
  });

  it('sigsum-testverify-wrong-time: a cosignature of another time is none', () => {
    const { inputs } = vectorNamed('cosignature-v1', 'sigsum-testverify-wrong-time');
    const key = { name: 'w', publicKey: fromHex(inputs.witnessPublicKey), type: SignatureType.cosignature };
    const line = cosignatureLine(key, inputs.timestamp, fromHex(inputs.cosignature), nodeCrypto);
    assert.equal(verifyNote(`${inputs.checkpointBody}\n${line}\n`, [key], nodeCrypto), null);
    const right = cosignatureLine(key, inputs.timestamp - 1, fromHex(inputs.cosignature), nodeCrypto);
    assert.ok(verifyNote(`${inputs.checkpointBody}\n${right}\n`, [key], nodeCrypto));
  });

  it('tessera-15-Wit1: cosigns as the published witness did', () => {
    const { inputs, expected } = vectorNamed('cosignature-v1', 'tessera-15-Wit1');
    const key = keyOf(expected.vkey);
    const text = readNote(inputs.note)?.text ?? '';
    const signature = signWith(fromHex(inputs.skeySeed), cosignatureMessage(text, inputs.timestamp));
    const line = cosignatureLine(key, inputs.timestamp, signature, nodeCrypto);
    assert.equal(line, expected.cosignatureLine.trimEnd());
  });

  it('is for nobody once one signature of a known key is wrong, whoever else signed', () => {
    const { expected } = vectorNamed('cosignature-v1', 'sigsum-testverify');
    const keys = [keyOf(expected.logVkey), keyOf(expected.witnessVkey)];
    const later = expected.note.replace('fRWOIwAAAABkU6LG', 'fRWOIwAAAABkU6LH');
    assert.notEqual(later, expected.note);
    assert.equal(verifyNote(later, keys, nodeCrypto), null);
    assert.equal(verifyNote(later, keys.slice(0, 1), nodeCrypto)?.length, 1);
  });

  it('reads a key only with its own hash and of a type that it can verify', () => {
    const { expected } = vectorNamed('cosignature-v1', 'tessera-15-Wit1');
    assert.ok(readVerifierKey(expected.vkey, nodeCrypto));
    for (const wrong of ['Wit2+', 'Wit1+0', '+', 'a b+'])
      assert.equal(readVerifierKey(expected.vkey.replace('Wit1+', wrong), nodeCrypto), null, wrong);
    assert.equal(readVerifierKey(expected.vkey.replace('+BFh', '+Bgh'), nodeCrypto), null);
  });

  it('reads no note with a name that holds a plus, nor a checkpoint with an empty extension', () => {
    const { inputs } = vectorNamed('checkpoint', vectorsOf('checkpoint')[0]?.id ?? '');
    assert.ok(readNote(inputs.note));
    assert.equal(readNote(inputs.note.replace(/^— /m, '— a+')), null);
    const [origin = '', size, root] = inputs.note.split('\n');
    assert.ok(parseCheckpoint(`${origin}\n${size}\n${root}\nextension\n`, origin));
    assert.equal(parseCheckpoint(`${origin}\n${size}\n${root}\n\nextension\n`, origin), null);
    assert.equal(parseCheckpoint(`${origin}\n0${size}\n${root}\n`, origin), null);
  });
});

function vectorNamed(kind: string, id: string): Vector {
  const vector = vectorsOf(kind).find((one) => one.id === id);
  assert.ok(vector, id);
  return vector;
}
