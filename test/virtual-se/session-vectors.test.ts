/** Recorded sessions of real cards and hosts, played against the virtual card. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createVirtualSe, type VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { createMac, decryptCbc, encryptBlock } from '../../drivers/card-reader/virtual-se/cipher.ts';
import { honest } from '../../drivers/card-reader/virtual-se/manner.ts';
import {
  authenticate,
  initiate,
  protect,
  type SecureSession,
  unwrap,
} from '../../drivers/card-reader/virtual-se/secure-channel.ts';
import { parseCommand } from '../../drivers/card-reader/virtual-se/wire.ts';
import { bytes, chip, hex, send, vectorsOf } from './support.ts';

interface SessionInputs {
  readonly mode: 'S8' | 'S16';
  readonly staticEnc: string;
  readonly staticMac: string;
  readonly staticDek: string;
  readonly hostChallenge: string;
  readonly initializeUpdate?: string;
  readonly initializeUpdateResponse: string;
}
interface SessionExpected {
  readonly sEnc: string;
  readonly cardCryptogram: string;
  readonly hostCryptogram: string;
  readonly externalAuthenticate: string;
  readonly commands: readonly {
    readonly plain: string;
    readonly wrapped: string;
    readonly response?: string;
    readonly plainResponse?: string;
  }[];
}

const challengeVectors = vectorsOf<
  { staticEnc: string; sequenceCounter: string; aid: string },
  { cardChallenge: string; matches: boolean }
>('scp03-card-challenge');

describe('recorded sessions of real cards', () => {
  for (const { id, inputs, expected } of vectorsOf<SessionInputs, SessionExpected>('scp03-session')) {
    it(`${id}: the card answers as the recorded one did, and takes every command`, () => {
      const card = cardOfRecording(id, inputs);
      const first = inputs.initializeUpdateResponse.slice(20, 22);
      const size = (inputs.hostChallenge.length / 2).toString(16).padStart(2, '0');
      const initialize = inputs.initializeUpdate ?? `8050${first}00${size}${inputs.hostChallenge}00`;
      assert.equal(send(card, initialize), inputs.initializeUpdateResponse);
      assert.equal(send(card, expected.externalAuthenticate), '9000');
      for (const step of expected.commands) {
        const answer = send(card, step.wrapped);
        assert.notEqual(answer, '6982', step.plain);
        // The EID is the one object of the recorded card that this card has too.
        if (step.plain.startsWith('80e29100')) assert.equal(answer, step.response);
      }
    });

    it(`${id}: the channel unwraps each command and protects each answer`, () => {
      const { session, cardCryptogram } = sessionOfRecording(inputs);
      assert.equal(hex(cardCryptogram), expected.cardCryptogram);
      assert.equal(hex(session.hostCryptogram), expected.hostCryptogram);
      assert.equal(hex(session.sEnc), expected.sEnc);
      authenticate(session, parseCommand(bytes(expected.externalAuthenticate)), 0x70);
      for (const step of expected.commands) {
        const plain = parseCommand(bytes(step.plain));
        assert.deepEqual(hex(unwrap(session, parseCommand(bytes(step.wrapped))).data), hex(plain.data));
        if (step.response === undefined || step.plainResponse === undefined) continue;
        holdsAnswer(session, bytes(step.response), bytes(step.plainResponse));
      }
    });
  }

  it('scp03dart: one answer from the middle of a session', () => {
    const [vector] = vectorsOf<
      { sEnc: string; sRmac: string; mcv: string; counter: number; responseData: string },
      { plain: string }
    >('scp03-partial');
    assert.ok(vector);
    const { inputs, expected } = vector;
    const { session } = sessionOfRecording({ ...ANY_KEYS, hostChallenge: '00'.repeat(8) });
    const middle: SecureSession = {
      ...session,
      phase: 'open',
      level: 0x33,
      counter: inputs.counter,
      chaining: bytes(inputs.mcv),
      sEnc: bytes(inputs.sEnc),
      rMac: createMac(bytes(inputs.sRmac)),
    };
    const answer = protect(middle, { data: bytes(expected.plain), statusWord: 0x9000 });
    assert.equal(hex(answer.data), inputs.responseData);
  });

  it('Amendment D section 6.2.5: 9000, 62xx and 63xx carry an R-MAC, errors are bare', () => {
    const { session } = sessionOfRecording({ ...ANY_KEYS, hostChallenge: '00'.repeat(8) });
    const open: SecureSession = { ...session, phase: 'open', level: 0x33, counter: 1 };
    const sizeOf = (statusWord: number) => protect(open, { data: Buffer.alloc(0), statusWord }).data.length;
    assert.deepEqual([0x9000, 0x6283, 0x6310, 0x63c2].map(sizeOf), [8, 8, 8, 8]);
    assert.deepEqual([0x6982, 0x6a88, 0x6d00].map(sizeOf), [0, 0, 0]);
  });

  it('Amendment D section 6.2.2.1: pseudo-random challenges', () => {
    for (const { id, inputs, expected } of challengeVectors) {
      const state = chip(
        {
          keySets: [
            {
              keyVersion: 1,
              enc: inputs.staticEnc,
              mac: inputs.staticEnc,
              dek: inputs.staticEnc,
              sequenceCounter: Number.parseInt(inputs.sequenceCounter, 16) - 1,
            },
          ],
        },
        { domainAid: inputs.aid },
      );
      const answer = send(powered(state), '80500000081112131415161718');
      assert.equal(answer.slice(26, 42) === expected.cardChallenge, expected.matches, id);
      assert.equal(answer.slice(-10, -4), inputs.sequenceCounter, id);
    }
    assert.equal(challengeVectors.length, 10);
  });
});

const ANY_KEYS: SessionInputs = {
  mode: 'S8',
  staticEnc: '00'.repeat(16),
  staticMac: '00'.repeat(16),
  staticDek: '00'.repeat(16),
  hostChallenge: '',
  initializeUpdateResponse: '00'.repeat(34),
};

/** The recorded card: its keys, counter and diversification data, and its challenge where that was drawn. */
function cardOfRecording(id: string, inputs: SessionInputs): VirtualSe {
  const answer = bytes(inputs.initializeUpdateResponse);
  const challenge = challengeVectors.find((vector) => vector.id === `${id}-challenge`);
  const counter = answer.subarray(-5, -2);
  const state = chip(
    {
      eid: '89882119900000000000000000000005',
      kdd: hex(answer.subarray(0, 10)),
      keySets: [
        {
          keyVersion: answer[10] ?? 0,
          enc: inputs.staticEnc,
          mac: inputs.staticMac,
          dek: inputs.staticDek,
          sequenceCounter: counter.readUIntBE(0, 3) - 1,
        },
      ],
    },
    {
      iParameter: answer[12] ?? 0,
      randomChallenge: challenge?.expected.matches !== true,
      ...(challenge === undefined ? {} : { domainAid: challenge.inputs.aid }),
    },
  );
  return powered(state, challengeOf(inputs));
}

function powered(
  state: Parameters<typeof createVirtualSe>[0]['state'],
  drawn: Buffer = Buffer.alloc(0),
): VirtualSe {
  const card = createVirtualSe({ state, entropy: { bytes: (count) => drawn.subarray(0, count) } });
  card.powerOn();
  return card;
}

function sessionOfRecording(inputs: SessionInputs): ReturnType<typeof initiate> {
  return initiate({
    enc: bytes(inputs.staticEnc),
    mac: bytes(inputs.staticMac),
    dek: bytes(inputs.staticDek),
    hostChallenge: bytes(inputs.hostChallenge),
    cardChallenge: challengeOf(inputs),
    countsEmptyCommands: true,
    extraPaddingBlocks: 0,
    overlooks: honest.overlooks,
  });
}

function challengeOf(inputs: SessionInputs): Buffer {
  return bytes(inputs.initializeUpdateResponse).subarray(13, inputs.mode === 'S16' ? 29 : 21);
}

/** Bit for bit where the recorded card pads as little as it must; some pad more, and there it is the MAC and
 * the text that have to agree. */
function holdsAnswer(session: SecureSession, recorded: Buffer, plain: Buffer): void {
  const { data } = protect(session, { data: plain, statusWord: 0x9000 });
  if (data.length === recorded.length - 2) {
    assert.equal(hex(data), hex(recorded.subarray(0, -2)));
    return;
  }
  const body = recorded.subarray(0, -2 - session.macBytes);
  const mac = session.rMac(session.chaining, body, recorded.subarray(-2)).subarray(0, session.macBytes);
  assert.equal(hex(mac), hex(recorded.subarray(body.length, -2)));
  const block = Buffer.alloc(16);
  block[0] = 0x80;
  block.writeUInt32BE(session.counter, 12);
  const text = decryptCbc(session.sEnc, encryptBlock(session.sEnc, block), body);
  assert.match(hex(text), new RegExp(`^${hex(plain)}80(00)*$`));
}
