import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import type { VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { p256Spki } from '../../drivers/crypto/node.ts';
import { bytes, cardOf, chip, command, hex, openSession, send, vectorsOf } from './support.ts';

interface PivInputs {
  readonly certificate: string;
}
interface PivExpected {
  readonly steps: readonly { readonly command: string; readonly response: string }[];
  readonly frames: readonly string[];
  readonly apdu: string;
  readonly message: string;
  readonly response: string;
}

const SELECT = '00a4040005a000000308';
const GENERATE = '0047009e05ac0380011100';
const MESSAGE = Buffer.from('what the card signs');
const DIGEST = createHash('sha256').update(MESSAGE).digest('hex');
const SIGN = `0087119e267c2482008120${DIGEST}00`;
const READ = '00cb3fff055c035fc10100';

describe('the key pair of slot 9E', () => {
  it('is made in a session with C-MAC and C-ENC, and signs for anybody', () => {
    for (const level of [0x03, 0x13, 0x33]) {
      const card = selected();
      const session = openSession(card, { level });
      const point = generatedPoint(session.send(GENERATE));
      assert.ok(verifies(point, session.send(SIGN)), 'inside the session');
      assert.equal(send(card, SELECT).slice(-4), '9000');
      assert.ok(verifies(point, send(card, SIGN)), 'outside');
      assert.equal(send(card, SIGN), send(card, SIGN), 'RFC 6979: the same digest, the same signature');
    }
  });

  it('is not made without one, nor at a level without encryption', () => {
    const card = selected();
    assert.equal(send(card, GENERATE), '6982');
    assert.equal(send(card, command('00db3fff', '5c035fc1015303010203')), '6982');
    assert.equal(send(card, command('10db3fff', '5c035fc1015303010203')), '6982');
    for (const level of [0x01, 0x11]) {
      const session = openSession(card, { level });
      assert.equal(session.send(GENERATE), '6982');
      assert.equal(session.send(command('00db3fff', '5c035fc1015303010203')), '6982');
    }
    assert.deepEqual([card.state.pairs, card.state.objects], [{}, {}]);
    assert.equal(send(selected(), SIGN), '6a88');
  });

  it('is a new one each time, and no other chip has it', () => {
    const points = ['one', 'two'].flatMap((seed) => {
      const session = openSession(selected(seed));
      return [session.send(GENERATE), session.send(GENERATE)];
    });
    assert.equal(new Set(points).size, 4);
  });

  it('refuses other mechanisms, slots and templates', () => {
    const session = openSession(selected());
    assert.equal(session.send('0047009e05ac0380011400'), '6a80');
    assert.equal(session.send('0047009e0000'), '6a80');
    assert.equal(session.send('0047009b05ac0380011100'), '6a86');
    assert.equal(session.send(GENERATE).slice(-4), '9000');
    assert.equal(session.send(`0087079e267c2482008120${DIGEST}00`), '6a80');
    assert.equal(session.send(`0087119e257c238200811f${DIGEST.slice(2)}00`), '6a80');
    assert.equal(session.send('0087119e027c0000'), '6a80');
  });

  it('SCP03 in the applet uses the AID of the applet for its challenge', () => {
    const domain = send(cardOf(chip()), '8050000008111213141516171800');
    const applet = send(selected(), '8050000008111213141516171800');
    assert.notEqual(domain.slice(26, 42), applet.slice(26, 42));
    assert.equal(domain.slice(-10), applet.slice(-10));
  });
});

describe('the certificate object', () => {
  const content = '70820190'.padEnd(2 * 404, '5a');
  const object = `538201${(404 - 256).toString(16)}${content}`;

  it('is written in protected frames, the last of one byte, and read by anybody', () => {
    const card = selected();
    const session = openSession(card);
    const whole = `5c035fc101${object}`;
    const cuts = [0, 200, 400, whole.length / 2 - 1, whole.length / 2];
    const frames = cuts.slice(1).map((cut, i) => whole.slice(2 * (cuts[i] ?? 0), 2 * cut));
    frames.forEach((frame, i) => {
      const header = i < frames.length - 1 ? '10db3fff' : '00db3fff';
      assert.equal(session.send(command(header, frame)), '9000');
      assert.equal(card.state.objects['5fc101'] === undefined, i < frames.length - 1, 'at the end, at once');
    });
    assert.equal(session.send(READ), `${object}9000`);
    assert.equal(send(card, SELECT).slice(-4), '9000');
    const first = send(card, READ);
    assert.equal(first.slice(-4), '6198');
    assert.equal(`${first.slice(0, -4)}${send(card, '00c0000098')}`, `${object}9000`);
  });

  it('is absent before, and again after an empty one', () => {
    const card = selected();
    assert.equal(send(card, READ), '6a82');
    const session = openSession(card);
    assert.equal(session.send(command('00db3fff', '5c035fc1015303010203')), '9000');
    assert.equal(session.send(READ), '53030102039000');
    assert.equal(session.send(command('00db3fff', '5c035fc1015300')), '9000');
    assert.equal(session.send(READ), '6a82');
  });

  it('forgets a chain that another command, session or power-off interrupts', () => {
    const card = selected();
    const start = command('10db3fff', '5c035fc101530401');
    const rest = command('00db3fff', '020304');
    const session = openSession(card);
    assert.equal(session.send(start), '9000');
    assert.equal(session.send(READ), '6a82');
    assert.equal(session.send(rest), '6a80');
    assert.equal(session.send(start), '9000');
    assert.equal(openSession(card).send(rest), '6a80');
    assert.deepEqual(card.state.objects, {});
  });

  it('refuses what is too long, and other objects', () => {
    const card = selected();
    const session = openSession(card);
    const frame = command('10db3fff', '00'.repeat(200));
    let answer = '9000';
    let frames = 0;
    while (answer === '9000' && ++frames < 100) answer = session.send(frame);
    assert.deepEqual([answer, frames], ['6a84', 21]);
    assert.equal(session.send(command('00db3fff', '5c035fff015303010203')), '6a82');
    assert.equal(session.send(command('00db3f00', '5c035fc1015303010203')), '6a86');
  });
});

describe('the PIN', () => {
  it('SP 800-73-4 section 3.2.1: opens slot 9A until power-off and 9C once, and is blocked after three tries', () => {
    const card = selected();
    const session = openSession(card);
    for (const slot of ['9a', '9c'])
      assert.equal(session.send(`004700${slot}05ac0380011100`).slice(-4), '9000');
    send(card, SELECT);
    const sign = (slot: string) => send(card, `008711${slot}267c2482008120${DIGEST}00`).slice(-4);
    const pin = (text: string) => send(card, `0020008008${Buffer.from(text).toString('hex')}ffff`);
    assert.deepEqual([sign('9a'), sign('9c'), sign('9e')], ['6982', '6982', '6a88']);
    assert.equal(pin('123456'), '9000');
    assert.deepEqual([sign('9c'), sign('9c'), sign('9a'), sign('9a')], ['9000', '6982', '9000', '9000']);
    card.powerOff();
    card.powerOn();
    send(card, SELECT);
    assert.equal(sign('9a'), '6982');
    assert.deepEqual([pin('000000'), pin('000000'), pin('000000')], ['63c2', '63c1', '63c0']);
    assert.equal(pin('123456'), '6983');
  });
});

describe('hosts of others', () => {
  // Left out of the vectors of this kind: the bytes of keys and signatures (the private key of the source is
  // not published; their form is held), and the version and metadata commands, which are one maker's own.
  const vectors = new Map(vectorsOf<PivInputs, PivExpected>('piv-apdu').map((vector) => [vector.id, vector]));
  const session = vectors.get('piv-plain-session');
  const frames = vectors.get('piv-put-certificate-frames');
  const read = vectors.get('piv-get-data-5');
  assert.ok(session && frames && read && vectors.size === 9);

  it('takes the published SELECTs', () => {
    const card = cardOf(chip());
    const [select] = session.expected.steps;
    assert.equal(send(card, select?.command ?? ''), select?.response);
    assert.equal(
      send(card, vectors.get('pivapplet-select-piv-applet')?.expected.apdu ?? ''),
      select?.response,
    );
  });

  it('stores the frames of a host, and gives them back as the host was given them', () => {
    const card = selected();
    // These frames fill a plain command; a protected one holds 239 bytes at most, so they are cut anew, with
    // the one-byte tail kept.
    const sent = frames.expected.frames.map((frame) => bytes(frame));
    const whole = Buffer.concat(sent.map((frame) => frame.subarray(5, 5 + (frame[4] ?? 0))));
    assert.equal(sent.at(-1)?.[4], 1);
    const channel = openSession(card);
    for (let at = 0; at < whole.length - 1; at += 200) {
      const part = whole.subarray(at, Math.min(at + 200, whole.length - 1));
      assert.equal(channel.send(command('10db3fff', hex(part))), '9000');
    }
    assert.equal(channel.send(command('00db3fff', hex(whole.subarray(-1)))), '9000');
    send(card, SELECT);
    const steps = session.expected.steps;
    const at = steps.findIndex((step) => step.command === read.expected.apdu);
    assert.equal(send(card, read.expected.apdu), read.expected.response);
    assert.equal(send(card, steps[at + 1]?.command ?? ''), steps[at + 1]?.response);
  });

  it('refuses the same frames, and key generation, in the clear', () => {
    const card = selected();
    for (const frame of frames.expected.frames) assert.equal(send(card, frame), '6982');
    assert.equal(send(card, vectors.get('piv-generate-p256-4')?.expected.apdu ?? ''), '6982');
  });

  it('has no management key: its authentication is refused', () => {
    const card = selected();
    for (const id of ['piv-general-authenticate-1', 'piv-general-authenticate-2'])
      assert.equal(send(card, vectors.get(id)?.expected.apdu ?? ''), '6a86');
  });

  it('generates, verifies the PIN and signs at the commands of others', () => {
    const card = selected();
    const generate = vectors.get('piv-generate-p256-4')?.expected;
    const point = generatedPoint(openSession(card).send(generate?.apdu ?? ''));
    assert.equal(point.length, 65);
    send(card, SELECT);
    const pin = vectors.get('piv-verify-pin-3')?.expected;
    assert.equal(send(card, pin?.apdu ?? ''), pin?.response);
    const sign = vectors.get('piv-general-authenticate-6')?.expected;
    const message = bytes(session.expected.message);
    assert.ok(verifies(point, send(card, sign?.apdu ?? ''), message));
  });
});

function selected(seed?: string): VirtualSe {
  const card = cardOf(chip(), seed);
  assert.equal(send(card, SELECT).slice(-4), '9000');
  return card;
}

/** `7F49 43 86 41 04 X Y`. */
function generatedPoint(answer: string): Buffer {
  assert.match(answer, /^7f4943864104[0-9a-f]{128}9000$/);
  return bytes(answer.slice(10, -4));
}

/** Whether `7C{82 signature}` is ECDSA in DER over the message; asks OpenSSL, which is strict about DER. */
function verifies(point: Buffer, answer: string, message: Buffer = MESSAGE): boolean {
  const data = bytes(answer);
  assert.deepEqual([data[0], data[2], data.at(-2)], [0x7c, 0x82, 0x90]);
  const key = createPublicKey({ key: p256Spki(point), format: 'der', type: 'spki' });
  return verify('sha256', message, key, data.subarray(4, -2));
}
