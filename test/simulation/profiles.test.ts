/** Every card profile on a whole line: chips of that kind are released, and the confirmation says what was shown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChipProfile } from '../../drivers/card-reader/virtual-se/chip.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { fromBase64, toHex, toText } from '../../runtime/core/bytes.ts';
import type { CardProfileName } from '../../runtime/core/card/profile.ts';
import type { FaultCode } from '../../runtime/core/faults.ts';
import { open, seal } from '../../runtime/core/messages/envelope.ts';
import { registerExchange } from '../../runtime/core/messages/exchanges.ts';
import { type Confirmation, confirmation } from '../../runtime/core/messages/receipts.ts';
import { identityRecord } from '../../runtime/core/record/identity-record.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { ask, type Sent, until, watchedWorld } from './by-hand.ts';
import { heldWith, lanesOf } from './fates.ts';
import { assertVerified, parsed, rowsOf } from './kept.ts';

const HOUR_MS = 3_600_000;

type Proofs = Pick<Confirmation['proofs'], 'dek' | 'negativeControl' | 'identity'>;
const best: Proofs = { dek: 'scratch-set', negativeControl: 'absent-from-template', identity: 'under-mac' };

/** What the confirmations of each profile say of the chip. */
const said: Readonly<Record<CardProfileName, Proofs>> = {
  'holdfast-virtual': best,
  'holdfast-virtual-aes-256': best,
  'holdfast-virtual-s16': best,
  'holdfast-virtual-block-only': best,
  'holdfast-virtual-chained': best,
  'holdfast-virtual-se05x': best,
  'holdfast-virtual-keys-only': best,
  'holdfast-virtual-clear-identity': { ...best, identity: 'unauthenticated' },
  'holdfast-virtual-two-sets': { ...best, dek: 'statistical', negativeControl: 'statistical' },
  'holdfast-virtual-keys-once': { ...best, dek: 'not-provable', negativeControl: 'not-provable' },
};

const names = Object.keys(said) as CardProfileName[];

describe('a line of chips of one card profile', () => {
  for (const cardProfile of names)
    it(`${cardProfile}: releases them, and the confirmation is true`, async () => {
      const world = await createWorld({ seed: cardProfile, units: 2, stations: 1, supply: { cardProfile } });
      await world.run(HOUR_MS);
      assert.deepEqual(heldWith(world), []);
      assert.deepEqual([...lanesOf(world).values()], ['good', 'good']);
      const rows = await rowsOf(world);
      assert.equal(rows.length, 2);
      for (const row of rows) {
        const { payload } = open(confirmation, row.jws, world.parties.trusted, nodeCrypto);
        assertSaid(payload, cardProfile, world);
        await assertVerified(parsed(row), world);
      }
      await assertRecorded(world, cardProfile);
    });
});

/** What the confirmation says, against the table above and the memory of the chip itself. */
function assertSaid({ proofs, certificate, card, eid }: Confirmation, name: CardProfileName, world: World) {
  const { dek, negativeControl, identity } = proofs;
  assert.deepEqual({ dek, negativeControl, identity }, said[name]);
  const chip = [...world.chips.values()].find(({ state }) => state.eid === eid)?.state ?? assert.fail();
  assert.deepEqual(
    chip.keySets.map(({ keyVersion }) => keyVersion),
    card.keyVersions,
  );
  assert.equal(chip.lifeCycle, card.lifeCycle);
  const stored = Object.values(chip.objects).join(' ');
  if ('absent' in certificate) {
    assert.deepEqual([Object.keys(chip.pairs), stored], [[], '']);
    assert.deepEqual(certificate, { absent: 'chips of this card profile have no applet for a key pair' });
  } else assert.ok(stored.includes(toHex(fromBase64(certificate.der))));
  assert.equal('absent' in certificate, name === 'holdfast-virtual-keys-only');
}

async function assertRecorded(world: World, name: CardProfileName): Promise<void> {
  const rows = await world.fleet.connect().transaction((tx) => tx.listRecords(9));
  assert.equal(rows.length, 2);
  for (const row of rows) {
    const record = identityRecord.parse(JSON.parse(toText(row.record)));
    const { dek, negativeControl, identity } = said[name];
    assert.deepEqual(
      [record.keyInjection.proofs.dek, record.keyInjection.negativeControl, record.silicon.identity],
      [dek, negativeControl, identity],
    );
    assert.equal('absent' in record.certificate, name === 'holdfast-virtual-keys-only');
    assert.equal(row.certificateSerial === null, 'absent' in record.certificate);
  }
}

describe('a chip of each card profile that loses contact', () => {
  for (const cardProfile of names)
    it(`${cardProfile}: at some commands of its unit it is held, asked again, and released`, async () => {
      const options = { seed: 'contact', units: 1, stations: 1, cheap: true, supply: { cardProfile } };
      let commands = 0;
      const whole = await createWorld({
        ...options,
        wire: () => {
          commands++;
        },
      });
      await whole.run(120_000);
      for (let at = 1; at <= commands; at += 7) {
        const world = await createWorld({ ...options, manners: { 1: { name: 'torn-after', at } } });
        await world.run(120_000);
        assert.deepEqual(heldWith(world), ['CARD_OUTCOME_UNKNOWN'], `command ${at} of ${commands}`);
        assert.deepEqual([...lanesOf(world).values()], ['good'], `command ${at} of ${commands}`);
      }
    });
});

/** Chips that are not what the ticket's profile says: nobody is condemned for it, and nothing is weakened. */
const others: readonly {
  readonly what: string;
  readonly cardProfile: CardProfileName;
  readonly chip: Partial<ChipProfile>;
  readonly fault: FaultCode;
}[] = [
  {
    what: 'speaks S8 where the profile says S16',
    cardProfile: 'holdfast-virtual-s16',
    chip: { iParameter: 0x70 },
    fault: 'CARD_COMMAND_REFUSED',
  },
  {
    what: 'speaks S16 where the profile says S8',
    cardProfile: 'holdfast-virtual',
    chip: { iParameter: 0x71 },
    fault: 'CARD_COMMAND_REFUSED',
  },
  {
    what: 'shows an i parameter that the profile does not list',
    cardProfile: 'holdfast-virtual-se05x',
    chip: { iParameter: 0x70 },
    fault: 'CARD_ANSWER_MALFORMED',
  },
  {
    what: 'takes PUT KEY in the other form only',
    cardProfile: 'holdfast-virtual-block-only',
    chip: { putKeyForm: 'inner-length' },
    fault: 'CARD_COMMAND_REFUSED',
  },
  {
    what: 'unwraps each frame where the profile protects the whole',
    cardProfile: 'holdfast-virtual-chained',
    chip: { chaining: 'unwrap-each-frame' },
    fault: 'CARD_COMMAND_REFUSED',
  },
  {
    what: 'gives no identity inside the channel where the profile says it does',
    cardProfile: 'holdfast-virtual',
    chip: { identityInSession: false },
    fault: 'CARD_COMMAND_REFUSED',
  },
  {
    what: 'has no room for the scratch set that the profile promises',
    cardProfile: 'holdfast-virtual-s16',
    chip: { keySetsMax: 2 },
    fault: 'CARD_COMMAND_REFUSED',
  },
];

describe('a chip that is not what the profile of its ticket says', () => {
  for (const { what, cardProfile, chip, fault } of others)
    it(`${what}: it is held, and no record is made`, async () => {
      const world = await createWorld({
        seed: what,
        units: 1,
        stations: 1,
        cheap: true,
        supply: { cardProfile },
        forged: { 1: (fresh) => ({ ...fresh, profile: { ...fresh.profile, ...chip } }) },
      });
      await world.run(120_000);
      assert.deepEqual([...new Set(heldWith(world))], [fault]);
      assert.equal(lanesOf(world).size, 0);
      const rows = await world.fleet.connect().transaction((tx) => tx.listRecords(9));
      assert.deepEqual(rows, []);
    });
});

/** What a gateway could sign if it proved less than it should. */
const less: Readonly<Record<string, (full: Confirmation) => Partial<Confirmation>>> = {
  'a weaker proof of Key-DEK': ({ proofs }) => ({ proofs: { ...proofs, dek: 'statistical' } }),
  'a weaker negative control': ({ proofs }) => ({ proofs: { ...proofs, negativeControl: 'not-provable' } }),
  'an identity in clear': ({ proofs }) => ({ proofs: { ...proofs, identity: 'unauthenticated' } }),
  'no certificate': () => ({ certificate: { absent: 'none was made' } }),
};

describe('the backend', () => {
  for (const [what, change] of Object.entries(less))
    it(`registers no confirmation that says less than the profile of its ticket promises: ${what}`, async () => {
      const { world, sent } = await watchedWorld({
        seed: what,
        units: 1,
        stations: 1,
        supply: { cardProfile: 'holdfast-virtual-s16' },
      });
      const asked = (): Sent | undefined => sent.find(({ topic }) => topic.endsWith('/backend/register'));
      await until(world, () => asked() !== undefined, 'register');
      const { body, operation, epoch } = asked() ?? assert.fail();
      const { payload } = open(confirmation, String(body.confirmation), world.parties.trusted, nodeCrypto);
      const signer = createSoftwareSigner(world.parties.gatewayKeys.confirmation ?? assert.fail());
      const register = (jws: string) =>
        ask(world, 1, registerExchange, {
          body: { ...body, confirmation: jws },
          binding: { operation, epoch },
        });
      const weak = await seal(confirmation, { ...payload, ...change(payload) }, signer, nodeCrypto);
      assert.equal((await register(weak)).refused, 'CONFIRMATION_INVALID');
      assert.equal((await register(String(body.confirmation))).refused, null);
    });
});
