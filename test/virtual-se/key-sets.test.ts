import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cardOf, chip, command, openSession, putKeyData, send } from './support.ts';

const NEW_KEYS = { enc: 'a0'.repeat(16), mac: 'b1'.repeat(16), dek: 'c2'.repeat(16) };
const TRANSPORT_KEYS = {
  enc: '7539f4175d70ccf169b1b03813bc4356',
  mac: 'ca3fa59ec9fba29e9a283107fed0f0ff',
  dek: '9cf99eb755a440e1c91fda3b45489c84',
};
const TEMPLATE_30 = 'c00401308810c00402308810c00403308810';
const TEMPLATE_31 = 'c00401318810c00402318810c00403318810';

describe('key sets', () => {
  it('a fresh chip holds the transport set of its EID, generation 0, and nothing else', () => {
    // By `openssl mac` over 4D505231534350330000 30 kid 00 0080 01 and the EID.
    assert.deepEqual(chip().keySets, [{ ...TRANSPORT_KEYS, keyVersion: 0x30, sequenceCounter: 0 }]);
    assert.deepEqual([chip().pairs, chip().objects, chip().lifeCycle], [{}, {}, 0x01]);
    assert.deepEqual(JSON.parse(JSON.stringify(chip())), chip(), 'as JSON it is the same chip');
  });

  it('a card with check values over zeros takes those alone', () => {
    const card = cardOf(chip({}, { checkValueFill: 0x00 }));
    const dek = card.state.keySets[0]?.dek ?? '';
    const session = openSession(card);
    const send = (fill: number) =>
      session.send(command('80d80081', putKeyData(0x31, NEW_KEYS, { dek, fill }))).slice(-4);
    assert.deepEqual([send(0x01), send(0x00)], ['6982', '9000']);
  });

  for (const form of ['inner-length', 'block-only'] as const)
    it(`adds, proves and deletes sets (${form})`, () => {
      const card = cardOf(chip());
      const dek = card.state.keySets[0]?.dek ?? '';
      const session = openSession(card);
      const data = putKeyData(0x31, NEW_KEYS, { dek, form });
      const values = [...data.matchAll(/03(......)(?=88|$)/g)].map((match) => match[1]).join('');
      assert.equal(session.send(command('80d80081', data)), `31${values}9000`);
      assert.equal(session.send('80ca00e000'), `e024${TEMPLATE_30}${TEMPLATE_31}9000`);
      assert.equal(session.send(command('80d80081', data)), '6a80', 'the version exists');
      const next = openSession(card, { keyVersion: 0x31, keys: NEW_KEYS });
      assert.equal(next.initializeAnswer.slice(-10, -4), '000001');
      assert.equal(next.send('80e4000003d2013300'), '6a88');
      assert.equal(next.send('80e4000003d2013000'), '009000');
      assert.equal(next.send('80e4000003d2013100'), '6985', 'the last set stays');
      assert.equal(next.send('80ca00e000'), `e012${TEMPLATE_31}9000`);
      assert.equal(next.send('80ca00c100'), 'c1030000019000');
      assert.equal(send(card, '8050300008111213141516171800'), '6a88');
    });

  it('GPCS section 11.8: a wrong check value changes nothing and the session lives', () => {
    const card = cardOf(chip());
    const dek = card.state.keySets[0]?.dek ?? '';
    const session = openSession(card);
    const before = JSON.stringify(card.state);
    assert.equal(session.send(command('80d80081', putKeyData(0x31, NEW_KEYS, { dek, spoil: true }))), '6982');
    assert.equal(JSON.stringify(card.state), before);
    assert.equal(session.send('80ca00e000'), `e012${TEMPLATE_30}9000`);
  });

  it('a key sent under another Key-DEK is refused', () => {
    const card = cardOf(chip());
    const session = openSession(card);
    const data = putKeyData(0x31, NEW_KEYS, { dek: '00'.repeat(16) });
    assert.equal(session.send(command('80d80081', data)), '6982');
    assert.equal(card.state.keySets.length, 1);
  });

  it('replaces a set, resets its counter, and refuses what is absent or of another size', () => {
    const card = cardOf(chip());
    const dek = card.state.keySets[0]?.dek ?? '';
    const session = openSession(card);
    const same = putKeyData(0x30, NEW_KEYS, { dek });
    assert.equal(session.send(command('80d83181', same)), '6a88');
    const long = { enc: 'a0'.repeat(32), mac: 'b1'.repeat(32), dek: 'c2'.repeat(32) };
    assert.equal(session.send(command('80d83081', putKeyData(0x30, long, { dek }))), '6a80');
    assert.equal(session.send(command('80d83081', same)).slice(-4), '9000');
    assert.deepEqual(card.state.keySets, [{ keyVersion: 0x30, ...NEW_KEYS, sequenceCounter: 0 }]);
    assert.equal(session.send('80ca00e000'), `e012${TEMPLATE_30}9000`, 'the session outlives its keys');
    const next = openSession(card, { keyVersion: 0x30, keys: NEW_KEYS });
    assert.equal(next.initializeAnswer.slice(-10, -4), '000001');
  });

  it('takes AES-256 sets beside AES-128 ones', () => {
    const card = cardOf(chip());
    const dek = card.state.keySets[0]?.dek ?? '';
    const long = { enc: 'a0'.repeat(32), mac: 'b1'.repeat(32), dek: 'c2'.repeat(32) };
    const data = putKeyData(0x31, long, { dek });
    assert.equal(openSession(card).send(command('80d80081', data)).slice(-4), '9000');
    const session = openSession(card, { keyVersion: 0x31, keys: long });
    assert.match(session.send('80ca00e000'), /c00403318820/);
  });

  it('refuses malformed PUT KEY with 6A80 or 6A86 and room for no more with 6A84', () => {
    const card = cardOf(chip({}, { keySetsMax: 2 }));
    const dek = card.state.keySets[0]?.dek ?? '';
    const session = openSession(card);
    const good = putKeyData(0x31, NEW_KEYS, { dek });
    for (const data of ['31', good.slice(0, -2), `${good}00`, `80${good.slice(2)}`, good.replace('88', '80')])
      assert.equal(session.send(command('80d80081', data)), '6a80', data.slice(0, 8));
    assert.equal(session.send(command('80d88081', good)), '6a86');
    assert.equal(session.send(command('80d80001', good)), '6a86');
    assert.equal(session.send(command('80d80081', good)).slice(-4), '9000');
    const third = putKeyData(0x32, NEW_KEYS, { dek });
    assert.equal(session.send(command('80d80081', third)), '6a84');
  });

  it('strict cards take one form alone', () => {
    for (const form of ['inner-length', 'block-only'] as const) {
      const card = cardOf(chip({}, { putKeyForm: form }));
      const dek = card.state.keySets[0]?.dek ?? '';
      const session = openSession(card);
      const other = form === 'block-only' ? 'inner-length' : 'block-only';
      const send = (as: typeof form) =>
        session.send(command('80d80081', putKeyData(0x31, NEW_KEYS, { dek, form: as })));
      assert.equal(send(other), '6a80');
      assert.equal(send(form).slice(-4), '9000');
    }
  });
});
