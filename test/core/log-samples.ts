/** A fleet log of samples: its keys, its leaves, and what a receipt shows of it. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { type Bytes, fromText, toBase64, toHex } from '../../runtime/core/bytes.ts';
import { type Checkpoint, checkpointText } from '../../runtime/core/log/checkpoint.ts';
import { type NoteKey, signedNote } from '../../runtime/core/log/note.ts';
import { leafHash, MerkleTree } from '../../runtime/core/log/tree.ts';

/** Leaves of the log, the receipt's own the last of them. */
export const TREE_SIZE = 13;
/** Leaves that the station saw before. */
export const KNOWN_SIZE = 6;

const entropy = createSimulatedEntropy('core tests, log');
export const logKeys = ed25519(entropy.bytes(32));
export const otherLogKeys = ed25519(entropy.bytes(32));

export interface LogView {
  /** Leaf number `i` before the last is the text `<history> <i>`. */
  readonly history?: string;
  readonly size?: number;
  /** How many leaves the station says it saw. */
  readonly known?: number;
  readonly by?: typeof logKeys;
}

/** What a receipt shows of a log whose last leaf is `entry`. */
export function shownInLog(entry: Bytes, view: LogView = {}) {
  const { history = 'leaf', size = TREE_SIZE, known = KNOWN_SIZE, by = logKeys } = view;
  const tree = historyOf(history, size - 1);
  tree.append(leafHash(entry, nodeCrypto.sha256));
  const text = checkpointText({ origin: by.key.name, size, root: tree.root() });
  return {
    leafIndex: size - 1,
    leaf: toBase64(entry),
    inclusionProof: tree.inclusionProof(size - 1).map(toHex),
    consistencyProof: known === 0 ? [] : tree.consistencyProof(known).map(toHex),
    knownTreeSize: known,
    checkpoint: signedNote(text, by.key, by.sign(fromText(text)), nodeCrypto),
  };
}

/** What the station verified before. */
export const knownCheckpoint: Checkpoint = {
  origin: logKeys.key.name,
  size: KNOWN_SIZE,
  root: historyOf('leaf', KNOWN_SIZE).root(),
};

function historyOf(name: string, size: number): MerkleTree {
  const tree = new MerkleTree(nodeCrypto.sha256);
  for (let i = 0; i < size; i++) tree.append(leafHash(fromText(`${name} ${i}`), nodeCrypto.sha256));
  return tree;
}

function ed25519(seed: Bytes): { readonly key: NoteKey; sign(message: Bytes): Bytes } {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const privateKey = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    key: { name: 'log.holdfast.example/test', publicKey: Buffer.from(x ?? '', 'base64url') },
    sign: (message) => sign(null, message, privateKey),
  };
}
