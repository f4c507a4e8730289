/** A station that officers enrol while the plant runs: believed from its next request on, and nothing is restarted. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { askEnrolment, enrolmentSubject, readEnrolment } from '../../runtime/core/messages/enrolment.ts';
import { payloadOf } from '../../runtime/core/messages/envelope.ts';
import { dialogueContinueExchange, journalHeadExchange } from '../../runtime/core/messages/exchanges.ts';
import { enrolmentRow, enrolStation } from '../../runtime/core/messages/station-enrolment.ts';
import {
  ENROLLED_MAX,
  revokeStation,
  stationRevocationSubject,
  stationRevocations,
  takeStationRevocations,
} from '../../runtime/core/messages/station-revocation.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { ask, pass, until } from '../simulation/by-hand.ts';
import { approve, quorum, trustedOfficers } from './officers.ts';

const JOURNAL = '01890000-0000-4000-8000-000000000009';
const revokers = { quorum, keys: trustedOfficers };
const entropy = createSimulatedEntropy('keys of new stations');
const newSigner = (): Signer => createSoftwareSigner(privateKeyFrom(entropy.bytes(40)));

function plant(seed: string, more: { newcomers?: string[]; gateways?: number } = {}): Promise<World> {
  return createWorld({ seed, stations: 1, units: 1, revokers, ...more });
}

/** Time passes while a program works. */
async function lasting<T>(world: World, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  done.catch(() => undefined);
  await until(world, () => settled, 'an answer');
  return done;
}

async function asked(world: World, envelope: Signer, station = 'station-1') {
  const requestedAt = instantOf(world.clock.now());
  const keys = { tls: newSigner(), envelope };
  const request = await askEnrolment(
    { station, requestedAt },
    keys,
    { code: null, present: null },
    nodeCrypto,
  );
  const subject = enrolmentSubject(readEnrolment(request, nodeCrypto), nodeCrypto);
  const nowMs = world.clock.now();
  const approvals = await Promise.all([
    approve('ada', 'station-enrolment', subject, nowMs),
    approve('bob', 'station-enrolment', subject, nowMs),
  ]);
  return { request, approvals };
}

const instruct = (world: World, body: { request: string; approvals: string[] }) =>
  lasting(world, world.instructions.backend.instruct(enrolStation, body));

async function enrolled(world: World, envelope: Signer, station = 'station-1') {
  return instruct(world, await asked(world, envelope, station));
}

const own = (world: World): Signer => world.parties.stationSigners[0] ?? assert.fail('no station');
const left = (world: World): number =>
  world.stations.flatMap(({ gateLog }) => gateLog).filter(({ event }) => event === 'LEFT').length;
const asksHead = (world: World, signer: Signer) =>
  lasting(world, ask(world, 1, journalHeadExchange, { body: { journal: JOURNAL }, signer }));

describe('a station that no program was configured with', () => {
  it('sends its unit through once officers have enrolled it, and nothing is restarted', async () => {
    const world = await plant('enrolled while it waits', { newcomers: ['station-1'] });
    await pass(world, 30_000);
    assert.equal(left(world), 0);
    const { list } = await enrolled(world, own(world));
    const taken = await lasting(world, world.instructions.gateway.instruct(takeStationRevocations, { list }));
    assert.deepEqual(taken, { number: 1, stations: [], enrolled: ['station-1'] });
    await world.run(600_000);
    assert.equal(left(world), 1);
  });

  it('is believed by every gateway of the HSM when one was told', async () => {
    const world = await plant('enrolled at one of two gateways', { newcomers: ['station-1'], gateways: 2 });
    const { list } = await enrolled(world, own(world));
    // The other one, whose door is not the world's, learns it by the ledger.
    await world.ledger.connect().keepStationList(1, list);
    await world.run(600_000);
    assert.equal(left(world), 1);
  });

  it('is believed by a backend whose neighbour enrolled it', async () => {
    const world = await plant('enrolled at another backend', { newcomers: ['station-1'] });
    assert.equal((await asksHead(world, own(world))).refused, 'BACKEND_SILENT');
    const since = instantOf(world.clock.now());
    const row = { station: 'station-1', number: 1, since, tlsKey: '04' };
    const envelopeKey = toHex(own(world).publicKey);
    await world.fleet.connect().transaction((tx) => tx.insertEnrolledStation({ ...row, envelopeKey }));
    await pass(world, 1_000);
    assert.equal((await asksHead(world, own(world))).refused, null);
  });
});

describe('an enrolment', () => {
  it('of a configured station replaces its key, for ever', async () => {
    const world = await plant('another token');
    const [first, second] = [newSigner(), newSigner()];
    const former = await asked(world, first);
    await instruct(world, former);
    assert.equal((await asksHead(world, first)).refused, null);
    assert.equal((await asksHead(world, own(world))).refused, 'BACKEND_SILENT');
    await enrolled(world, second);
    await pass(world, 1_000);
    assert.equal((await asksHead(world, first)).refused, 'BACKEND_SILENT');
    await assert.rejects(instruct(world, former), { code: 'ENROLMENT_REFUSED' });
    assert.equal((await asksHead(world, second)).refused, null);
  });

  it('replaces a key at a backend whose neighbour was told, within seconds', async () => {
    const world = await plant('replaced at another backend');
    const since = instantOf(world.clock.now());
    const envelopeKey = toHex(newSigner().publicKey);
    const row = { station: 'station-1', number: 1, since, tlsKey: '04', envelopeKey };
    await world.fleet.connect().transaction((tx) => tx.insertEnrolledStation(row));
    assert.equal((await asksHead(world, own(world))).refused, null);
    await pass(world, 6_000);
    world.clock.after(6_000, () => undefined);
    await pass(world, 6_000);
    assert.equal((await asksHead(world, own(world))).refused, 'ENVELOPE_INVALID');
  });

  it('replaces a key at a gateway whose neighbour was told, at its next request', async () => {
    const world = await plant('replaced at the neighbour');
    const { list } = await enrolled(world, newSigner());
    await lasting(world, world.ledger.connect().keepStationList(1, list));
    const body = { dialogue: JOURNAL, outcome: 'played', answers: 'a..b.c.d' };
    const aStep = { body, binding: { operation: JOURNAL, epoch: 1 }, step: 3 };
    const asks = () => lasting(world, ask(world, 1, dialogueContinueExchange, aStep));
    assert.equal((await asks()).refused, 'ENVELOPE_INVALID');
  });

  it('stands in the fleet log with its officers, once, however often it is asked for', async () => {
    const world = await plant('enrolled twice');
    const signer = newSigner();
    const first = await enrolled(world, signer, 'station-9');
    const again = await asked(world, signer, 'station-9');
    assert.equal((await instruct(world, again)).number, first.number);
    const leaves = world.fleet.tables.leaves.all().map(({ entry }) => readLeaf(entry));
    const [leaf, ...more] = leaves.filter((one) => one?.kind === 'station-enrolment');
    assert.deepEqual(more, []);
    assert.deepEqual([leaf?.body.station, leaf?.body.officers], ['station-9', ['ada', 'bob']]);
    assert.equal(leaf?.body.envelopeKey, toHex(signer.publicKey));
  });

  it('needs the quorum, for these very keys', async () => {
    const world = await plant('not enough');
    const { request, approvals } = await asked(world, newSigner());
    const one = approvals.slice(0, 1);
    await assert.rejects(instruct(world, { request, approvals: one }), { code: 'APPROVALS_MISSING' });
    const other = await asked(world, newSigner());
    await assert.rejects(instruct(world, { ...other, approvals }), { code: 'APPROVAL_REFUSED' });
    const nobody = await createWorld({ seed: 'nobody', stations: 1, units: 1 });
    await assert.rejects(instruct(nobody, { request, approvals }), { code: 'CONFIG_INVALID' });
  });

  it('is refused for a key that serves somebody else, and for a revoked name', async () => {
    const world = await plant('whose key');
    await assert.rejects(enrolled(world, own(world), 'station-9'), { code: 'ENROLMENT_REFUSED' });
    await assert.rejects(enrolled(world, world.parties.backendSigner), { code: 'ENROLMENT_REFUSED' });
    const signer = newSigner();
    await enrolled(world, signer, 'station-9');
    await assert.rejects(enrolled(world, signer, 'station-8'), { code: 'ENROLMENT_REFUSED' });
    const order = { station: 'station-9', reason: 'stolen' };
    const subject = stationRevocationSubject(order, nodeCrypto);
    const nowMs = world.clock.now();
    const approvals = [
      await approve('ada', 'station-revocation', subject, nowMs),
      await approve('bob', 'station-revocation', subject, nowMs),
    ];
    const { list } = await lasting(
      world,
      world.instructions.backend.instruct(revokeStation, { ...order, approvals }),
    );
    const said = payloadOf(stationRevocations, list);
    assert.deepEqual([said?.number, said?.enrolled], [2, undefined]);
    await assert.rejects(enrolled(world, newSigner(), 'station-9'), { code: 'ENROLMENT_REFUSED' });
  });

  it('is refused when the list can name no further station', () => {
    const row = (i: number) => ({
      ...{ station: `station-${i}`, number: i, since: '', tlsKey: '', envelopeKey: `04${i}` },
    });
    const rows = Array.from({ length: ENROLLED_MAX }, (_, i) => row(i + 1));
    const keys = { tlsKey: newSigner().publicKey, envelopeKey: newSigner().publicKey };
    const wanted = (station: string) =>
      enrolmentRow({ station, ...keys }, { enrolled: rows, revoked: [] }, [], '');
    assert.throws(() => wanted('station-new'), { code: 'STATION_LIST_FULL' });
    assert.equal(wanted('station-7').number, ENROLLED_MAX + 1);
  });
});
