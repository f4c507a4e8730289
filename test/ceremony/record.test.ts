import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { conduct } from '../../runtime/cli/ceremony/conduct.ts';
import { type CeremonyRecord, recordStatement } from '../../runtime/core/ceremony/record.ts';
import { verifyRecord } from '../../runtime/core/ceremony/verification.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { type Attributes, BORN_INSIDE } from '../../runtime/core/key-attributes.ts';
import { seal } from '../../runtime/core/messages/envelope.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { AT, approve, officers, planOf, roomOf, stranger, trusted, withCode } from './room.ts';

let jws = '';
let good: CeremonyRecord;
before(async () => {
  jws = await conduct(await roomOf(planOf()));
  good = verifyRecord(jws, trusted, nodeCrypto).record;
});

/** The record with changes, signed anew by whoever conducts ceremonies. */
const forged = (change: (record: Mutable) => void, by: Signer = officers.ada): Promise<string> => {
  const record = structuredClone(good) as Mutable;
  change(record);
  return seal(recordStatement, record, by, nodeCrypto);
};
type Mutable = { -readonly [Name in keyof CeremonyRecord]: CeremonyRecord[Name] };

describe('a ceremony record', () => {
  it('proves nothing once any part of it is altered', () => {
    const size = Math.ceil(jws.length / 400);
    for (let at = 0; at < jws.length; at += size) {
      const letter = jws[at] === 'A' ? 'B' : 'A';
      const altered = `${jws.slice(0, at)}${letter}${jws.slice(at + 1)}`;
      assert.throws(
        () => verifyRecord(altered, trusted, nodeCrypto),
        withCode('CEREMONY_RECORD_INVALID', { check: 'signature' }),
        `character ${at}`,
      );
    }
    for (const cut of ['', jws.slice(0, -1), jws.slice(1), `${jws}.`])
      assert.throws(() => verifyRecord(cut, trusted, nodeCrypto), withCode('CEREMONY_RECORD_INVALID'));
  });

  it('proves nothing when a stranger signed it, or an officer in another’s name, or one with no say', async () => {
    const unsigned = await forged(() => undefined, stranger);
    assert.throws(
      () => verifyRecord(unsigned, trusted, nodeCrypto),
      withCode('CEREMONY_RECORD_INVALID', { check: 'signature' }),
    );
    const asAda = await forged(() => undefined, officers.bob);
    const asZoe = await forged((record) => {
      record.conductor = 'zoe';
    }, officers.zoe);
    for (const lie of [asAda, asZoe])
      assert.throws(
        () => verifyRecord(lie, trusted, nodeCrypto),
        withCode('CEREMONY_RECORD_INVALID', { check: 'conductor' }),
      );
    const others = trusted.map((key) =>
      key.name === 'ada' ? { ...key, role: 'ticket-authority' as const } : key,
    );
    assert.throws(() => verifyRecord(jws, others, nodeCrypto), withCode('CEREMONY_RECORD_INVALID'));
  });

  it('is refused for each attribute of each key that the policy demands otherwise, whoever signed it', async () => {
    for (const [at, step] of good.steps.entries())
      for (const [which, object] of (step.key?.objects ?? []).entries())
        for (const name of Object.keys(object.attributes)) {
          const altered = await forged((record) => {
            const attributes = record.steps[at]?.key?.objects[which]?.attributes as Record<string, unknown>;
            const value = attributes[name];
            attributes[name] = typeof value === 'boolean' ? !value : 'something';
          });
          // The birth of a public key is told, and demanded of the private one.
          if (object.kind === 'public' && name === 'LOCAL') continue;
          assert.throws(
            () => verifyRecord(altered, trusted, nodeCrypto),
            withCode('CEREMONY_RECORD_INVALID', { check: /^step/ }),
            `${step.key?.key} ${name}`,
          );
        }
  });

  const told = (at: number, changes: object) => (record: Mutable) => {
    Object.assign(record.steps[at] ?? {}, changes);
  };
  const key = (at: number, changes: object) => (record: Mutable) => {
    Object.assign(record.steps[at]?.key ?? {}, changes);
  };
  const all = (changes: (record: CeremonyRecord) => Partial<CeremonyRecord>) => (record: Mutable) => {
    Object.assign(record, changes(record));
  };
  const neverOutside = (record: Mutable): void => {
    Object.assign(record.steps[1]?.key?.objects[0]?.attributes ?? {}, BORN_INSIDE, { VALUE_LEN: 32 });
    Object.assign(record.steps[1]?.key ?? {}, { origin: 'inside' });
  };
  const renamed = (record: Mutable): void => {
    const [first] = record.steps[0]?.approvals ?? [];
    Object.assign(first ?? {}, { officer: 'eve' });
  };
  const lies: readonly [string, (record: Mutable) => void, string][] = [
    ['tells of a plan of another hash', all(() => ({ planHash: '0'.repeat(64) })), 'plan'],
    ['leaves a step out', all(({ steps }) => ({ steps: steps.slice(0, -1) })), 'steps'],
    ['tells a step by another number', told(0, { step: 2 }), 'steps'],
    ['names no approval of a step', told(0, { approvals: [] }), 'approvals'],
    ['tells steps in another order', all(({ steps }) => ({ steps: [...steps].reverse() })), 'steps'],
    ['tells of another token', all(({ token }) => ({ token: { ...token, serial: 'ffff' } })), 'token'],
    ['calls it hardware', all(({ token }) => ({ token: { ...token, softwareToken: false } })), 'token'],
    ['gives an approval to another officer', renamed, 'approvals'],
    ['lacks an approval', all(({ approvals }) => ({ approvals: approvals.slice(1) })), 'approvals'],
    ['has one twice', all(({ approvals }) => ({ approvals: [...approvals, ...approvals] })), 'approvals'],
    ['calls a joined key generated inside', key(2, { origin: 'inside' }), 'step 3: join transport-master'],
    ['calls a generated key imported', key(0, { origin: 'outside' }), 'step 1: generate constants-seal'],
    ['tells of another check value', key(2, { checkValue: '000000' }), 'step 3: join transport-master'],
    ['says of a key with a backup that it never was outside', neverOutside, 'step 2: generate mdk-1'],
    ['tells of another key', key(0, { key: 'mdk-2' }), 'step 1: generate constants-seal'],
    ['has no public key', key(3, { publicKey: null }), 'step 4: key-pair issuer-line-1'],
    ['tells of another backup', told(1, { file: null }), 'step 2: generate mdk-1'],
    ['lacks constants', told(4, { constants: [] }), 'step 5: constants'],
    ['ends before it begins', all(() => ({ endedAt: instantOf(AT) })), 'steps'],
    ['is quiet about what only code enforces', all(() => ({ enforcedByCodeAlone: [] })), 'limits'],
  ];
  for (const [lie, change, check] of lies)
    it(`is refused when it ${lie}`, async () => {
      const altered = await forged(change);
      assert.throws(
        () => verifyRecord(altered, trusted, nodeCrypto),
        withCode('CEREMONY_RECORD_INVALID', { check }),
      );
    });

  it('is refused with approvals of another plan, and when a step began after they had ended', async () => {
    const other = await approve(planOf({ title: 'another' }), 'bob');
    const swapped = await forged((record) => {
      record.approvals = [record.approvals[0] ?? '', other];
    });
    assert.throws(
      () => verifyRecord(swapped, trusted, nodeCrypto),
      withCode('CEREMONY_RECORD_INVALID', { check: 'approvals' }),
    );
    const late = await forged((record) => {
      const at = instantOf(AT + 172_800_000);
      record.steps = record.steps.map((step) => ({ ...step, startedAt: at, endedAt: at }));
      record.endedAt = at;
    });
    assert.throws(
      () => verifyRecord(late, trusted, nodeCrypto),
      withCode('CEREMONY_RECORD_INVALID', { check: 'approvals', why: /no longer valid/ }),
    );
  });

  it('is the same for whoever judges it, from its bytes and the keys of the officers alone', () => {
    const { record, checks } = verifyRecord(jws, trusted, nodeCrypto);
    assert.deepEqual(record, good);
    assert.deepEqual(checks.slice(0, 5), ['signature', 'conductor', 'plan', 'token', 'steps']);
    const attributes: Attributes = record.steps[3]?.key?.objects[0]?.attributes ?? {};
    assert.equal(attributes.SENSITIVE, true);
  });
});
