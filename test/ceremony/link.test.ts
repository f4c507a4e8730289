/** Ceremony records in the fleet log. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createInMemoryBroker } from '../../drivers/bus/in-memory.ts';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryInstructionDoor } from '../../drivers/instruction/in-memory.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { createInMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import { createBackend } from '../../runtime/backend/backend.ts';
import { conduct } from '../../runtime/cli/ceremony/conduct.ts';
import { ceremonyLinkCommand } from '../../runtime/cli/ceremony/link.ts';
import type { Means } from '../../runtime/cli/means.ts';
import { plain } from '../../runtime/cli/screen.ts';
import { fromBase64, toHex } from '../../runtime/core/bytes.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import type { ApprovalPayload } from '../../runtime/core/messages/approval.ts';
import { ceremonyRecordInstruction } from '../../runtime/core/messages/ceremony-record.ts';
import { hashOf, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import { createParties } from '../../scripts/simulation/parties.ts';
import { backendSettings } from '../../scripts/simulation/settings.ts';
import { nothingElse } from '../cli/support.ts';
import { AT, approve, type Officer, planOf, roomOf, trusted, withCode } from './room.ts';

const NAME = 'station-1';
let jws = '';
before(async () => {
  jws = await conduct(await roomOf(planOf()));
});

/** A countersignature of a record. */
const witnessed = (
  record: string,
  officer: Officer,
  changes: Partial<ApprovalPayload> = {},
): Promise<string> => approve(planOf(), officer, { subject: hashOf(record, nodeCrypto), ...changes });

/** A backend that trusts these keys besides those of its plant. */
async function backend(officers: readonly TrustedKey[] = trusted, startMs = AT + 60_000) {
  const clock = createSimulatedClock(startMs);
  const entropy = createSimulatedEntropy('link');
  const parties = createParties(entropy, [NAME], startMs);
  const weather = { lossRate: 0, duplicateRate: 0, delayMs: { min: 1, max: 2 } };
  const broker = createInMemoryBroker({ clock, entropy, weather });
  const door = createInMemoryInstructionDoor();
  const driven = async <T>(work: Promise<T>): Promise<T> => {
    let open = true;
    void work.then(
      () => (open = false),
      () => (open = false),
    );
    while (open) {
      await clock.runNext(clock.monotonicMs() + 1000);
      await new Promise(setImmediate);
    }
    return work;
  };
  await driven(
    createBackend(backendSettings([NAME], 'controller'), {
      clock,
      crypto: nodeCrypto,
      trusted: [...parties.trusted, ...officers],
      log: createMemoryLog(),
      entropy,
      bus: broker.connect({
        clientId: 'backend-1',
        clean: true,
        mayPublish: () => true,
        mayReceive: () => true,
      }),
      signer: parties.backendSigner,
      logSigner: parties.logSigner,
      store: createInMemoryFleetDatabase({ clock }).connect(),
      instructions: door,
      heads: createInMemoryHead(),
      controllers: [{ name: 'gate-1', station: NAME, key: parties.tagKeys[0] ?? assert.fail() }],
    }),
  );
  const link = async (record: string, witnesses?: readonly string[]) => {
    const body = { record, witnesses: [...(witnesses ?? [await witnessed(record, 'bob')])] };
    return driven(door.instruct(ceremonyRecordInstruction, body));
  };
  return { link, logKey: parties.logSigner.key };
}

describe('a ceremony record in the fleet log', () => {
  it('is one leaf, which names its hash, its token and its officers, however often it is linked', async () => {
    const { link } = await backend();
    const [first, second] = [await link(jws), await link(jws)];
    assert.deepEqual([first.leafIndex, second.leafIndex, first.leaf], [0, 0, second.leaf]);
    const leaf = readLeaf(fromBase64(first.leaf));
    assert.equal(leaf?.kind, 'ceremony');
    const { recordHash, tokenSerial, officers, conductor, witnesses } = leaf.body;
    assert.deepEqual([recordHash, tokenSerial], [hashOf(jws, nodeCrypto), 'a1b2']);
    assert.deepEqual([officers, conductor, witnesses], [['ada', 'bob'], 'ada', ['bob']]);
  });

  it('gets no leaf when it is altered, when its officers are not trusted here, or when it ends in the future', async () => {
    const { link } = await backend();
    const altered = jws.replace(/.(?=.{9}$)/, (letter) => (letter === 'A' ? 'B' : 'A'));
    await assert.rejects(link(altered), withCode('CEREMONY_RECORD_INVALID', { check: 'signature' }));
    const strange = await backend([]);
    await assert.rejects(strange.link(jws), withCode('CEREMONY_RECORD_INVALID', { check: 'signature' }));
    const alone = await backend(trusted.filter(({ name }) => name === 'ada'));
    await assert.rejects(alone.link(jws), withCode('CEREMONY_RECORD_INVALID', { check: 'approvals' }));
    const early = await backend(trusted, AT - 3_600_000);
    await assert.rejects(early.link(jws), withCode('CEREMONY_RECORD_INVALID', { check: 'time' }));
    assert.equal((await link(jws)).leafIndex, 0);
  });

  it('gets no leaf while no other officer has countersigned it: the conductor counts once', async () => {
    const { link } = await backend();
    await assert.rejects(link(jws, []), withCode('APPROVALS_MISSING', { given: 0, required: 1 }));
    const approval = await approve(planOf(), 'bob');
    const ended = { notAfter: instantOf(AT + 30_000) };
    const refusals: readonly [string, RegExp][] = [
      [await witnessed(jws, 'ada'), /not an officer for this/],
      [await witnessed(jws, 'zoe'), /not an officer for this/],
      [await witnessed(`${jws}x`, 'bob'), /something else/],
      [await witnessed(jws, 'bob', ended), /no longer valid/],
      [approval, /something else/],
    ];
    for (const [witness, why] of refusals)
      await assert.rejects(link(jws, [witness]), withCode('APPROVAL_REFUSED', { why }));
    assert.equal((await link(jws, [await witnessed(jws, 'eve')])).leafIndex, 0);
  });

  it('is the only one of its ceremony: approvals that were used serve no second record', async () => {
    const { link } = await backend();
    const room = await roomOf(planOf(), { startMs: AT + 20_000 });
    const second = await conduct(room);
    assert.notEqual(second, jws);
    assert.equal((await link(jws)).leafIndex, 0);
    await assert.rejects(link(second), withCode('CEREMONY_RECORD_INVALID', { check: 'ceremony', leaf: 0 }));
    const both = await backend();
    const results = await Promise.allSettled([both.link(jws), both.link(second)]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  });

  it('is believed by the command only with a leaf of this record in the log of this key', async () => {
    const { link, logKey } = await backend();
    const key = `${logKey.name}:${toHex(logKey.publicKey)}`;
    const told = await run({ 'log-key': key }, link);
    assert.match(told, new RegExp(`^${hashOf(jws, nodeCrypto)} is leaf 0 of ${logKey.name}`));
    const good = await link(jws);
    const other = await conduct(await roomOf(planOf({ id: '3d9d9c2a-5f0f-4b1f-9a43-0c8f5e6f7a01' })));
    const lies = [
      await link(other),
      { ...good, leafIndex: 1 },
      { ...good, leaf: `${good.leaf.slice(0, -8)}AAAA${good.leaf.slice(-4)}` },
      { ...good, checkpoint: good.checkpoint.replace('\n1\n', '\n2\n') },
      { ...good, inclusionProof: ['0'.repeat(64)] },
    ];
    for (const lie of lies)
      await assert.rejects(
        run({ 'log-key': key }, async () => lie),
        withCode('LOG_FORKED'),
      );
  });
});

/** The command, with a backend that answers as told. */
async function run(
  values: Readonly<Record<string, string>>,
  answer: (record: string) => ReturnType<Awaited<ReturnType<typeof backend>>['link']>,
): Promise<string> {
  let said = '';
  const files = new Map([
    ['record.jws', jws],
    [
      'officers.json',
      JSON.stringify({ trusted: trusted.map((one) => ({ ...one, publicKey: toHex(one.publicKey) })) }),
    ],
  ]);
  const nowhere = async (): Promise<never> => assert.fail('something else was opened');
  const means: Means = {
    print: (line) => {
      said += `${line}\n`;
    },
    talk: () => undefined,
    paint: plain,
    version: '0.0.0',
    now: () => AT,
    crypto: nodeCrypto,
    files: {
      exists: () => false,
      read: (path) => files.get(path) ?? assert.fail(path),
      names: () => [],
      parent: (path) => path,
    },
    databaseUrl: null,
    ...nothingElse,
    openJournal: nowhere,
    openFleet: nowhere,
    openLedger: nowhere,
    openToken: nowhere,
    instruct: async (_socket, of, body) =>
      of.answer.parse(await answer((body as { record: string }).record)) as never,
  };
  const given = {
    values: { trusted: 'officers.json', socket: 'backend.sock', ...values },
    operands: ['record.jws'],
    lists: {},
  };
  assert.equal(await ceremonyLinkCommand.run(given, means), 0);
  return said;
}
