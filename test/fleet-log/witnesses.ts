/** Witnesses of the tests: their keys, and desks that are asked in memory. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryShelf } from '../../drivers/shelf/in-memory.ts';
import { type Desk, witnessAt } from '../../runtime/cli/witness/desk.ts';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { type NoteKey, SignatureType, verifierKey } from '../../runtime/core/log/note.ts';
import { logKeys } from '../core/log-samples.ts';

export interface WitnessKeys {
  readonly key: NoteKey;
  readonly vkey: string;
  readonly sign: (message: Bytes) => Bytes;
}

export function witnessKeys(name: string): WitnessKeys {
  const seed = createSimulatedEntropy(`witness ${name}`).bytes(32);
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  const key = { name, publicKey: Buffer.from(x ?? '', 'base64url'), type: SignatureType.cosignature };
  return {
    key,
    vkey: verifierKey(key, nodeCrypto),
    sign: (message) => sign(null, message, privateKey),
  };
}

/** A clock of the witnesses, in seconds since 1970. */
export const WITNESS_TIME = 1_900_000_000;

export function deskOf(changes: Partial<Desk> = {}): Desk {
  const { key, sign: own } = witnessKeys('witness.example/w1');
  return {
    ...{ key, sign: own, logs: [logKeys.key], directory: 'witness', shelf: createInMemoryShelf() },
    ...{ crypto: nodeCrypto, now: () => WITNESS_TIME * 1000, talk: () => undefined },
    ...changes,
  };
}

/** Asks a witness as a client does, by text. */
export function askerOf(desk: Desk) {
  const answer = witnessAt(desk);
  return {
    post: (body: string) => answer({ method: 'POST', path: '/add-checkpoint', body: Buffer.from(body) }),
    get: (path: string) => answer({ method: 'GET', path, body: new Uint8Array(0) }),
  };
}
