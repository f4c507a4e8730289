/** What a proof of Key-DEK asks of an honest card: a third set comes, shows itself, and goes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import type { MannerName } from '../../drivers/card-reader/virtual-se/mutants/table.ts';
import { manneredChip } from './mannered-chip.ts';
import {
  cardOf,
  chip,
  command,
  type HostSession,
  type Keys,
  openSession,
  putKeyData,
  send,
} from './support.ts';

const FLEET = { enc: 'a0'.repeat(16), mac: 'b1'.repeat(16), dek: 'c2'.repeat(16) };
const SCRATCH = { enc: '1a'.repeat(16), mac: '2b'.repeat(16), dek: '3c'.repeat(16) };
const [TRANSPORT_VERSION, FLEET_VERSION, SCRATCH_VERSION] = [0x30, 0x31, 0x3f];
const INITIALIZE_UPDATE_SCRATCH = '80503f0008111213141516171800';

/** A card with the fleet's set beside its transport set, in a session under the fleet's. */
function withFleetSet(card: VirtualSe): HostSession {
  const { dek = '' } = card.state.keySets[0] ?? {};
  const transport = openSession(card);
  assert.equal(put(transport, FLEET_VERSION, FLEET, { dek }).slice(-4), '9000');
  return openSession(card, { keyVersion: FLEET_VERSION, keys: FLEET });
}

function put(
  session: HostSession,
  keyVersion: number,
  keys: Keys,
  options: { readonly dek: string; readonly spoil?: boolean },
): string {
  return session.send(command('80d80081', putKeyData(keyVersion, keys, options)));
}

function remove(session: HostSession, keyVersion: number): string {
  return session.send(`80e4000003d201${keyVersion.toString(16)}00`);
}

/** The versions that the template lists, ENC alone. */
function listed(session: HostSession): readonly number[] {
  return [...session.send('80ca00e000').matchAll(/c00401(..)/g)].map((match) => Number(`0x${match[1]}`));
}

describe('a scratch set', () => {
  it('comes under the new Key-DEK, opens a session of its own, and goes under another set', () => {
    const card = cardOf(chip());
    const fleet = withFleetSet(card);
    assert.match(put(fleet, SCRATCH_VERSION, SCRATCH, { dek: FLEET.dek }), /^3f.*9000$/);
    assert.deepEqual(listed(fleet), [TRANSPORT_VERSION, FLEET_VERSION, SCRATCH_VERSION]);
    const scratch = openSession(card, { keyVersion: SCRATCH_VERSION, keys: SCRATCH });
    assert.equal(scratch.initializeAnswer.slice(-10, -4), '000001');
    const again = openSession(card, { keyVersion: FLEET_VERSION, keys: FLEET });
    assert.equal(remove(again, SCRATCH_VERSION), '009000');
    assert.deepEqual(listed(again), [TRANSPORT_VERSION, FLEET_VERSION]);
    assert.equal(send(card, INITIALIZE_UPDATE_SCRATCH), '6a88');
  });

  it('is refused with a wrong check value or under another Key-DEK, and is not stored', () => {
    const card = cardOf(chip());
    const { dek = '' } = card.state.keySets[0] ?? {};
    const fleet = withFleetSet(card);
    const before = JSON.stringify(card.state);
    assert.equal(put(fleet, SCRATCH_VERSION, SCRATCH, { dek: FLEET.dek, spoil: true }), '6982');
    assert.equal(put(fleet, SCRATCH_VERSION, SCRATCH, { dek }), '6982');
    assert.equal(JSON.stringify(card.state), before);
    assert.deepEqual(listed(fleet), [TRANSPORT_VERSION, FLEET_VERSION], 'the session lives');
    assert.equal(put(fleet, SCRATCH_VERSION, SCRATCH, { dek: FLEET.dek }).slice(-4), '9000');
  });

  it('finds no room on a card for two sets until one has gone', () => {
    const card = cardOf(manneredChip('has-little-room'));
    const fleet = withFleetSet(card);
    assert.equal(put(fleet, SCRATCH_VERSION, SCRATCH, { dek: FLEET.dek }), '6a84');
    assert.deepEqual(listed(fleet), [TRANSPORT_VERSION, FLEET_VERSION]);
    assert.equal(remove(fleet, TRANSPORT_VERSION), '009000');
    assert.equal(put(fleet, SCRATCH_VERSION, SCRATCH, { dek: FLEET.dek }).slice(-4), '9000');
  });

  it('GPCS section 11.2: can be deleted in its own session, which lives on; the last set cannot', () => {
    const card = cardOf(chip());
    put(withFleetSet(card), SCRATCH_VERSION, SCRATCH, { dek: FLEET.dek });
    const scratch = openSession(card, { keyVersion: SCRATCH_VERSION, keys: SCRATCH });
    assert.equal(remove(scratch, SCRATCH_VERSION), '009000');
    assert.deepEqual(listed(scratch), [TRANSPORT_VERSION, FLEET_VERSION]);
    assert.equal(remove(scratch, SCRATCH_VERSION), '6a88');
    assert.equal(remove(scratch, TRANSPORT_VERSION), '009000');
    assert.equal(remove(scratch, FLEET_VERSION), '6985');
    assert.equal(send(card, INITIALIZE_UPDATE_SCRATCH), '6a88');
  });
});

describe('a scratch set on a card that lies about its keys', () => {
  const onMutant = (name: MannerName): { readonly card: VirtualSe; readonly fleet: HostSession } => {
    const card = cardOf(manneredChip(name));
    return { card, fleet: withFleetSet(card) };
  };

  for (const name of ['echoes-check-values', 'accepts-anything', 'wrong-dek-and-echoes'] as const)
    it(`is stored by ${name} although its check value is wrong`, () => {
      const { fleet } = onMutant(name);
      assert.match(put(fleet, SCRATCH_VERSION, SCRATCH, { dek: FLEET.dek, spoil: true }), /^3f.*9000$/);
      assert.deepEqual(listed(fleet), [TRANSPORT_VERSION, FLEET_VERSION, SCRATCH_VERSION]);
    });

  it('is refused by wrong-dek, which cannot unwrap it', () => {
    const { fleet } = onMutant('wrong-dek');
    assert.equal(put(fleet, SCRATCH_VERSION, SCRATCH, { dek: FLEET.dek }), '6982');
    assert.deepEqual(listed(fleet), [TRANSPORT_VERSION, FLEET_VERSION]);
  });

  it('has no right cryptogram on wrong-dek-and-echoes', () => {
    const { card, fleet } = onMutant('wrong-dek-and-echoes');
    put(fleet, SCRATCH_VERSION, SCRATCH, { dek: FLEET.dek });
    assert.throws(
      () => openSession(card, { keyVersion: SCRATCH_VERSION, keys: SCRATCH }),
      /EXTERNAL AUTHENTICATE: 6982/,
    );
  });

  it('opens a session with anybody on accepts-anything', () => {
    const { card } = onMutant('accepts-anything');
    const stranger = openSession(card, { keyVersion: FLEET_VERSION, keys: SCRATCH, level: 0x01 });
    assert.match(stranger.send('80ca00e000'), /^e024/);
  });
});
