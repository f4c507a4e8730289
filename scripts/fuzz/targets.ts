/**
 * What reads bytes that a card, a station or a wire may have made up. Each target says which errors it may
 * throw; anything else, and anything that does not end, is a defect.
 */
import { createVirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { decodeBoardMessage, decodeHostMessage } from '../../drivers/jig/extension.ts';
import { type Bytes, fromHex, fromText } from '../../runtime/core/bytes.ts';
import { decodeAnswer, exchange } from '../../runtime/core/card/apdu.ts';
import { decodeKeyTemplate, decodeLifeCycle } from '../../runtime/core/card/global-platform.ts';
import { decodeCertificate, decodePublicKey, decodeSignature } from '../../runtime/core/card/piv.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import { decodeInitializeUpdate, modeOfParameter } from '../../runtime/core/card/scp03.ts';
import { openState, unwrapAnswer } from '../../runtime/core/card/scp03-channel.ts';
import { decodeTlv } from '../../runtime/core/card/tlv.ts';
import { eidFromBytes } from '../../runtime/core/eid.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { originOf, parseCheckpoint } from '../../runtime/core/log/checkpoint.ts';
import { noteIn, readNote, readSignature, readVerifierKey } from '../../runtime/core/log/note.ts';
import { readPolicy } from '../../runtime/core/log/policy.ts';
import { readProof } from '../../runtime/core/log/proof.ts';
import { entriesIn } from '../../runtime/core/log/tile.ts';
import { readAddCheckpoint } from '../../runtime/core/log/witness.ts';
import { messageText } from '../../runtime/core/messages/channel.ts';
import { peekBinding, peekId } from '../../runtime/core/messages/envelope.ts';
import { parseAuthority } from '../../runtime/core/pki/authority.ts';
import { parseCertificate } from '../../runtime/core/pki/certificate.ts';
import { assembleCrl, crlToBeSigned, parseCrl } from '../../runtime/core/pki/crl.ts';
import { fromPem } from '../../runtime/core/pki/pem.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import { requestedKey } from '../../runtime/core/pki/root.ts';
import { signatureFromDer } from '../../runtime/core/pki/signature.ts';

export interface FuzzTarget {
  readonly name: string;
  readonly run: (input: Bytes) => void;
  readonly allows: (error: unknown) => boolean;
  /** Good inputs to begin with. */
  readonly seeds: readonly Bytes[];
  readonly words: readonly Bytes[];
  /** URLs of the code whose coverage guides. */
  readonly sources: RegExp;
}

const faults = (error: unknown): boolean => isFault(error) && error.code !== 'UNEXPECTED';
const ranges = (error: unknown): boolean => error instanceof RangeError && error.name === 'RangeError';
const card = { allows: faults, sources: /\/runtime\/core\/(?:card|eid)/ };
const TEMPLATE = 'e012c00401308810c00402308810c00403308810';
const words = [
  'c0',
  '4f',
  '9f70',
  'e3',
  '7f49',
  '86',
  '7c',
  '82',
  '53',
  '70',
  '71',
  'fe',
  '5a10',
  '9000',
  '6982',
].map((hex) => fromHex(hex));
const { securityDomain } = cardProfiles['holdfast-virtual'];
/** A list of one certificate, with a signature of nobody. */
const crlSeed = assembleCrl(
  crlToBeSigned({
    issuer: {
      name: fromHex('300d310b300906035504030c024c31'),
      keyIdentifier: new Uint8Array(20),
      algorithm: 'es256',
    },
    number: 7,
    thisUpdateMs: 0,
    nextUpdateMs: 86_400_000,
    entries: [{ serial: new Uint8Array(16).fill(0x41), revokedAtMs: 0, reason: 'keyCompromise' }],
  }),
  new Uint8Array(64).fill(1),
);
const vkey = 'w+0c6c9ef6+BGludmFsaWQga2V5IG9mIDMyIGJ5dGVzIGluIGFsbCAuLi4=';
const logSeeds = [
  'log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— log AAAAAAAAAAA=\n',
  'old 0\n\nlog\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— log AAAAAAAAAAA=\n',
  'c2sp.org/tlog-proof@v1\nextra e30=\nindex 0\n\nlog\n1\n\n— log AAAAAAAAAAA=\n',
  `witness w ${vkey}\ngroup g 1 w\nquorum g\n`,
].map(fromText);
/** A cipher that changes nothing: what is fuzzed is the framing around it. */
const openKeys = {
  mac: () => new Uint8Array(16),
  responseMac: () => new Uint8Array(16),
  encryptBlock: (block: Bytes) => block,
  encrypt: (_iv: Bytes, data: Bytes) => data,
  decrypt: (_iv: Bytes, data: Bytes) => data,
};

export const targets: readonly FuzzTarget[] = [
  {
    name: 'notes, proofs, policies and bundles of the log',
    run: (input) => {
      const text = noteIn(input);
      for (const read of [readNote, readProof, readAddCheckpoint, readSignature]) read(text);
      parseCheckpoint(text, originOf(text));
      readVerifierKey(text, nodeCrypto);
      orFault(() => readPolicy(text, nodeCrypto));
      entriesIn(input);
    },
    allows: faults,
    seeds: logSeeds,
    words: ['\n\n', '— ', 'old 1\n', 'index 0\n', 'extra ', 'AAAA', 'group g any ', 'quorum none\n'].map(
      fromText,
    ),
    sources: /\/runtime\/core\/log\/(?:note|proof|policy|witness|checkpoint|tile)\./,
  },
  { ...card, name: 'tlv', run: decodeTlv, seeds: [fromHex(TEMPLATE)], words },
  {
    ...card,
    name: 'card objects',
    run: (input) => {
      for (const read of [
        decodeKeyTemplate,
        decodePublicKey,
        decodeSignature,
        decodeCertificate,
        decodeAnswer,
      ])
        orFault(() => read(input));
      orFault(() => decodeLifeCycle(input, securityDomain));
      orFault(() => eidFromBytes(input));
    },
    seeds: [
      fromHex(TEMPLATE),
      fromHex('e3134f08a0000001510000009f700101c5039efe80'),
      fromHex('7c04820230000000'),
    ],
    words,
  },
  {
    ...card,
    name: 'answers on the wire',
    run: (input) => {
      const script = exchange(fromHex('80ca00e000'));
      let at = 0;
      for (let step = script.next(); step.done !== true; ) {
        const length = 2 + (input[at] ?? 0);
        step = script.next(input.subarray(at + 1, at + 1 + length));
        at += 1 + length;
      }
    },
    seeds: [fromHex('026102900004016101019000'), fromHex('006c10049000')],
    words,
  },
  {
    ...card,
    name: 'INITIALIZE UPDATE',
    run: (input) => void decodeInitializeUpdate(input, 0x30, modeOfParameter(input[12] ?? 0)),
    seeds: [fromHex(`${'00'.repeat(10)}300370${'11'.repeat(8)}${'22'.repeat(8)}0000019000`)],
    words,
  },
  {
    ...card,
    name: 'protected answers',
    run: (input) => {
      const state = {
        ...openState(new Uint8Array(16), 0x33, 8),
        awaited: [{ chain: new Uint8Array(16), counter: 1 }],
      };
      unwrapAnswer(openKeys, state, input);
    },
    seeds: [fromHex(`${'80'.padEnd(32, '0')}${'00'.repeat(8)}9000`), fromHex('6982')],
    words,
  },
  {
    name: 'certificates',
    run: (input) => {
      orRange(() => signatureFromDer(input));
      parseCertificate(input, documentationIdentifiers);
    },
    allows: ranges,
    seeds: [fromHex('30060201010201ff'), fromHex('3080a003020102020101')],
    words: [...words, fromHex('06082a8648ce3d040302'), fromHex('a003020102'), fromHex('300d')],
    sources: /\/runtime\/core\/pki/,
  },
  {
    name: 'authorities, lists and requests',
    run: (input) => {
      orRange(() => parseAuthority(input, documentationIdentifiers));
      orRange(() => parseCrl(input));
      orRange(() =>
        fromPem('X509 CRL', `-----BEGIN X509 CRL-----${String.fromCharCode(...input.subarray(0, 200))}`),
      );
      requestedKey(input, 'request', nodeCrypto);
    },
    allows: (error) => ranges(error) || faults(error),
    seeds: [crlSeed, fromHex('3080a003020102020101')],
    words: [
      ...words,
      fromHex('300a06082a8648ce3d040302'),
      fromHex('a003020102'),
      fromHex('0603551d14'),
      fromHex('170d'),
    ],
    sources: /\/runtime\/core\/pki/,
  },
  {
    name: 'envelopes',
    run: (input) => {
      const text = messageText(input) ?? '';
      peekId(text);
      peekBinding(text);
    },
    allows: faults,
    seeds: [fromText('e30.eyJpZCI6IngifQ.AAAA')],
    words: ['eyJ', '.', 'e30', 'bnVsbA', '"id":'].map(fromText),
    sources: /\/runtime\/core\/(?:messages|bytes)/,
  },
  {
    name: 'gate messages',
    run: (input) => {
      decodeHostMessage(input);
      decodeBoardMessage(input);
    },
    allows: () => false,
    seeds: [fromHex('0101000000'), fromHex('0205060708')],
    words,
    sources: /\/drivers\/jig\/extension/,
  },
  {
    name: 'the virtual SE',
    run: (input) => {
      const se = virtualSe();
      for (let at = 0; at < input.length; at += 1 + (input[at] ?? 0)) {
        const answer = se.transmit(input.subarray(at + 1, at + 1 + (input[at] ?? 0)));
        if (answer.length < 2) throw new Error('a card answers with a status word at least');
      }
    },
    allows: () => false,
    seeds: [
      fromHex('0e00a4040008a00000015100000000'),
      fromHex('0580ca00e0000580ca005a000580ca9f7f00'),
      fromHex('0e8050300008112233445566778800158482330010ffffffffffffffffffffffffffffffff'),
    ],
    words: [...words, ...['80ca', '00a40400', '8050', '84d8', '00c0', '80e2'].map((hex) => fromHex(hex))],
    sources: /\/virtual-se\//,
  },
];

function virtualSe() {
  const se = createVirtualSe({
    state: freshChip({
      eid: eidOfIndex(1),
      index: 1,
      transportMaster: new Uint8Array(32),
      transportKeyVersion: 0x30,
    }),
    entropy: createSimulatedEntropy('fuzz'),
  });
  se.powerOn();
  return se;
}

/** Of several readers each must fail by itself. */
function orFault<T>(read: () => T): T | null {
  return unless(read, faults);
}

function orRange<T>(read: () => T): T | null {
  return unless(read, ranges);
}

function unless<T>(read: () => T, allowed: (error: unknown) => boolean): T | null {
  try {
    return read();
  } catch (error) {
    if (!allowed(error)) throw error;
    return null;
  }
}
