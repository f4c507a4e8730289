import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { cardOf, chip, command, EID, openSession, send } from './support.ts';

const NEW_KEYS = { enc: 'a0'.repeat(16), mac: 'b1'.repeat(16), dek: 'c2'.repeat(16) };
const TEMPLATE_30 = 'c00401308810c00402308810c00403308810';

describe('what the card tells anybody', () => {
  it('GPCS section 11.3: class 80 gives whole objects, class 00 values, CA and CB', () => {
    const card = cardOf(chip());
    assert.equal(send(card, '80ca005a00'), `5a10${EID}9000`);
    assert.equal(send(card, '00ca005a00'), `${EID}9000`);
    assert.equal(send(card, '00cb005a'), `${EID}9000`);
    assert.equal(send(card, '80ca9f7f00'), `9f7f2a${card.state.cplc}9000`);
    assert.equal(send(card, '80ca00e000'), `e012${TEMPLATE_30}9000`);
    assert.equal(send(card, '80ca004200'), `4204${card.state.iin}9000`);
    assert.equal(send(card, '80ca004500'), `450a${card.state.cin}9000`);
    assert.match(send(card, '80ca006600'), /^6631732f06072a864886fc6b01.*640b06092a864886fc6b0403709000$/);
    assert.equal(send(card, '80ca00c100'), 'c1030000009000');
    assert.equal(send(card, '80ca007700'), '6a88');
  });

  it('takes SELECT with no AID, all of one and part of one, with and without Le', () => {
    const card = cardOf(chip());
    for (const text of ['00a4040000', '00a40400', '00a4040008a00000015100000000', '00a4040005a000000151'])
      assert.equal(send(card, text), '6f108408a000000151000000a5049f6501ff9000');
    for (const text of ['00a4040005a000000308', '00a404000ba00000030800001000010000'])
      assert.equal(send(card, text), '61114f0600001000010079074f05a0000003089000');
    assert.equal(send(card, '00a4040006a00000099900'), '6a82');
  });

  it('GPCS section 11.1.3: refuses wrong lengths, channels, classes, instructions', () => {
    const card = cardOf(chip());
    assert.equal(send(card, '80ca'), '6700');
    assert.equal(send(card, '80ca005a0212'), '6700');
    assert.equal(send(card, '80ca005a000000'), '6700');
    assert.equal(send(card, '81ca005a00'), '6881');
    assert.equal(send(card, '80aa000000'), '6d00');
    assert.equal(send(card, '00f28002024f0000'), '6e00');
  });

  it('keeps status, keys and life cycle for those who opened a session', () => {
    const card = cardOf(chip());
    const before = JSON.stringify(card.state);
    for (const text of ['80f28002024f0000', '80f0800f00', '80e4000003d2013000', '80d8008101310000'])
      assert.equal(send(card, text), text.startsWith('80d8') ? '6700' : '6982');
    assert.equal(send(card, command('80d80081', '31')), '6982');
    assert.equal(JSON.stringify(card.state), before);
  });
});

describe('sessions', () => {
  it('Amendment D table 5-1: i decides about levels, challenge and counter', () => {
    const rows: readonly (readonly [number, readonly number[], number])[] = [
      [0x00, [0x01, 0x03], 29],
      [0x10, [0x01, 0x03], 32],
      [0x20, [0x01, 0x03, 0x11, 0x13], 29],
      [0x30, [0x01, 0x03, 0x11, 0x13], 32],
      [0x60, [0x01, 0x03, 0x11, 0x13, 0x33], 29],
      [0x70, [0x01, 0x03, 0x11, 0x13, 0x33], 32],
    ];
    for (const [iParameter, levels, size] of rows) {
      const card = cardOf(chip({}, { iParameter }));
      for (const level of [0x01, 0x03, 0x11, 0x13, 0x33]) {
        const open = () => openSession(card, { level });
        if (!levels.includes(level)) {
          assert.throws(open, /EXTERNAL AUTHENTICATE: 6a86/);
          continue;
        }
        const session = open();
        assert.equal(session.initializeAnswer.length / 2 - 2, size);
        assert.equal(session.send('80ca00e000'), `e012${TEMPLATE_30}9000`);
        assert.equal(session.send('80ca005a00'), `5a10${EID}9000`);
      }
      assert.equal(send(card, '80500000101112131415161718191a1b1c1d1e1f20'), '6700');
      assert.equal(send(card, '80ca00c100'), iParameter & 0x10 ? 'c1030000059000' : '6a88');
    }
  });

  it('takes an empty command as nothing and as one padding block, and counts it once', () => {
    for (const emptyAs of ['nothing', 'padding-block'] as const) {
      const session = openSession(cardOf(chip()), { emptyAs });
      for (let i = 0; i < 3; i++) assert.equal(session.send('80ca005a00'), `5a10${EID}9000`);
      assert.match(session.send('80f28002024f0000'), /^e3.*9f700101c5039efe809000$/);
    }
  });

  it('Amendment D section 6.2.2.1: INITIALIZE UPDATE counts before use, to FFFFFF and never past it', () => {
    const card = cardOf(chip());
    const first = send(card, '8050000008111213141516171800');
    const second = send(card, '8050300008111213141516171800');
    assert.equal(first.slice(-10, -4), '000001');
    assert.equal(second.slice(-10, -4), '000002');
    assert.notEqual(first.slice(26, 42), second.slice(26, 42));
    const [set] = card.state.keySets;
    assert.ok(set);
    set.sequenceCounter = 0xfffffe;
    assert.equal(send(card, '8050000008111213141516171800').slice(-10), 'ffffff9000');
    assert.equal(send(card, '8050000008111213141516171800'), '6985');
    assert.equal(send(card, '8050000008111213141516171800'), '6985');
  });

  it('GPCS section 10.2.3: an application error leaves the session alone, a channel error ends it', () => {
    const card = cardOf(chip());
    const session = openSession(card);
    assert.equal(session.send('80ca007700'), '6a88');
    assert.equal(session.send('80ca00e000'), `e012${TEMPLATE_30}9000`);
    assert.equal(send(card, '80ca00e000'), '6982');
    assert.equal(session.send('80ca00e000'), '6982');
    assert.equal(send(card, '80ca00e000'), '6982', 'aborted: nothing passes, plain or protected');
    assert.equal(openSession(card).send('80ca005a00'), `5a10${EID}9000`);
    assert.equal(send(card, '80ca00e000'), '6982');
    assert.equal(send(card, '00a4040000').slice(-4), '9000');
    assert.equal(send(card, '80ca00e000'), `e012${TEMPLATE_30}9000`);
  });

  it('refuses EXTERNAL AUTHENTICATE without INITIALIZE UPDATE, twice, and at levels 00, 10 and 30', () => {
    const card = cardOf(chip());
    assert.equal(send(card, `8482330010${'00'.repeat(16)}`), '6982');
    for (const level of [0x00, 0x10, 0x30])
      assert.throws(() => openSession(card, { level }), /EXTERNAL AUTHENTICATE: 6a86/);
    const session = openSession(card);
    assert.equal(session.send(`8082330010${'00'.repeat(16)}`), '6d00');
    assert.equal(session.send('80ca005a00'), `5a10${EID}9000`);
  });

  it('6A88 for a set that is absent, 6300 for a host with other keys; power-off ends everything', () => {
    const card = cardOf(chip());
    assert.throws(() => openSession(card, { keyVersion: 0x31 }), /INITIALIZE UPDATE: 6a88/);
    assert.throws(
      () => openSession(card, { keyVersion: 0x30, keys: { ...NEW_KEYS } }),
      /EXTERNAL AUTHENTICATE: 6982/,
    );
    const session = openSession(card);
    card.powerOff();
    assert.equal(send(card, '80ca005a00'), '');
    assert.equal(Buffer.from(card.powerOn()).toString('hex'), card.state.atr);
    assert.equal(session.send('80ca005a00'), '6982');
    assert.equal(send(card, '80ca005a00'), `5a10${EID}9000`, 'a fresh power-on has no aborted session');
  });

  it('takes padding of several blocks; aborts on padding that is wrong and on broken blocks', () => {
    const status = '80f28002024f0000';
    for (const [padding, good] of [
      [`80${'00'.repeat(13)}`, true],
      [`80${'00'.repeat(45)}`, true],
      [`81${'00'.repeat(13)}`, false],
      ['00'.repeat(14), false],
    ] as const) {
      const card = cardOf(chip());
      const session = openSession(card, { level: 0x03 });
      const answer = Buffer.from(card.transmit(session.wrap(status, padding))).toString('hex');
      assert.equal(answer.slice(-4), good ? '9000' : '6982', padding);
      assert.equal(session.send('80ca005a00').slice(-4), good ? '9000' : '6982');
    }
    const card = cardOf(chip());
    const session = openSession(card, { level: 0x01 });
    const whole = openSession(card, { level: 0x03 });
    assert.equal(send(card, session.wrap(status).toString('hex')), '6982', 'of a session that is over');
    assert.equal(whole.send(status), '6982');
  });

  it('an old card does not count commands without data', () => {
    const card = cardOf(chip({}, { countsEmptyCommands: false }));
    const session = openSession(card, { countsEmpty: false });
    for (let i = 0; i < 2; i++) {
      assert.equal(session.send('80ca005a00'), `5a10${EID}9000`);
      assert.match(session.send('80f28002024f0000'), /^e3/);
    }
    const other = openSession(card);
    assert.doesNotMatch(other.send('80ca005a00'), new RegExp(EID), 'the host counted, the card did not');
  });

  it('an emulation draws the challenge that it should calculate, and still counts', () => {
    const one = send(cardOf(chip({}, { randomChallenge: true }), 'a'), '8050000008111213141516171800');
    const two = send(cardOf(chip({}, { randomChallenge: true }), 'b'), '8050000008111213141516171800');
    assert.notEqual(one.slice(26, 42), two.slice(26, 42));
    assert.equal(one.slice(-10), '0000019000');
  });
});

describe('life cycle', () => {
  it('GPCS section 5.1.1: OP_READY, INITIALIZED, SECURED; one way, one step, never the same', () => {
    const card = cardOf(chip());
    const session = openSession(card);
    assert.match(session.send('80f28002024f0000'), /^e3134f08a0000001510000009f700101c5039efe809000$/);
    assert.equal(session.send('80f0800100'), '6a80');
    assert.equal(session.send('80f0800f00'), '6a80');
    assert.equal(session.send('80f0800700'), '9000');
    assert.equal(session.send('80f0800108a000000151000000'), '6a80');
    assert.equal(session.send('80f0800f08a000000151000000'), '9000');
    assert.equal(session.send('80f0800f00'), '6a80');
    assert.equal(session.send('80f080ff00'), '6a80');
    assert.match(session.send('80f28002024f0000'), /9f70010f/);
    assert.equal(session.send('80f28000024f0000'), '08a0000001510000000f9e9000');
    assert.match(session.send('80f24002024f0000'), /^e3164f0ba0000003080000100001009f700107/);
  });

  it('a locked card shows its domain, keeps its keys, and can be unlocked', () => {
    const card = cardOf(chip({ lifeCycle: 0x0f }));
    assert.equal(openSession(card).send('80f0807f00'), '9000');
    assert.equal(send(card, '00a4040000').slice(-4), '6283');
    assert.equal(send(card, '00a4040005a000000308'), '6a82');
    const session = openSession(card);
    assert.equal(session.send('80e4000003d2013000'), '6985');
    assert.equal(session.send('80f0800f00'), '9000');
  });
});

describe('manners', () => {
  it('ISO 7816-3 section 12.2: a T=0 card announces, asks for the right Le, and is fetched from', () => {
    const card = cardOf(chip({}, { answers: 'get-response' }));
    assert.equal(send(card, '80ca005a00'), '6c12');
    assert.equal(send(card, '80ca005a12'), `5a10${EID}9000`);
    assert.equal(send(card, '80ca005a'), '6112');
    assert.equal(send(card, '00c0000012'), `5a10${EID}9000`);
    assert.equal(send(card, '00c0000012'), '6d00', 'nothing waits any more');
    assert.equal(openSession(withResponses(card)).send('80ca00e000'), `e012${TEMPLATE_30}9000`);
  });

  it('gives as many bytes as Le asks for and keeps the rest', () => {
    const card = cardOf(chip());
    assert.equal(send(card, '80ca005a02'), '5a106110');
    assert.equal(send(card, '00c0000010'), `${EID}9000`);
    assert.equal(send(card, '80ca005a02'), '5a106110');
    assert.equal(send(card, '80ca007700'), '6a88');
    assert.equal(send(card, '00c0000010'), '6d00', 'another command drops what waited');
  });
});

describe('noise', () => {
  it('answers whatever it is sent, in a session and outside, and keeps what it holds', () => {
    const noise = createSimulatedEntropy('noise');
    const card = cardOf(chip({ lifeCycle: 0x0f }));
    const { keySets, ...kept } = structuredClone(card.state);
    const instructions = [0x20, 0x47, 0x50, 0x82, 0x87, 0xa4, 0xc0, 0xca, 0xcb, 0xd8, 0xdb, 0xe2, 0xe4, 0xf2];
    for (let i = 0; i < 4_000; i++) {
      const session = i % 8 === 0 ? openSession(card) : null;
      const [cla = 0, ins = 0, size = 0] = noise.bytes(3);
      const body = Buffer.concat([
        Buffer.of([0x00, 0x80, 0x84, 0x04, 0x10, cla][cla % 6] ?? 0, instructions[ins % 14] ?? ins),
        noise.bytes(2),
        Buffer.of(size % 40),
        noise.bytes(size % 40),
      ]);
      const frame = session?.wrap(body.toString('hex')) ?? body.subarray(0, size % 3 ? undefined : size % 9);
      assert.ok(card.transmit(frame).length >= 2);
    }
    assert.deepEqual({ ...card.state, keySets: [] }, { ...kept, pin: card.state.pin, keySets: [] });
    assert.deepEqual(
      card.state.keySets.map(({ sequenceCounter: _, ...set }) => set),
      keySets.map(({ sequenceCounter: _, ...set }) => set),
    );
  });
});

/** A T=0 card behind a reader that fetches. */
function withResponses(card: ReturnType<typeof cardOf>): ReturnType<typeof cardOf> {
  return {
    ...card,
    transmit: (text) => {
      const answer = Buffer.from(card.transmit(text));
      return answer.at(-2) === 0x61 ? card.transmit(Buffer.of(0, 0xc0, 0, 0, answer.at(-1) ?? 0)) : answer;
    },
  };
}
