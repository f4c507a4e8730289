import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import {
  closeTicketInstruction,
  ticketCounts,
  ticketCountsInstruction,
} from '../../runtime/core/messages/close-out.ts';
import { payloadOf } from '../../runtime/core/messages/envelope.ts';
import { closeOutOf } from '../../runtime/core/orders/close-out.ts';
import type { LedgerUnit } from '../../runtime/core/store/ledger.ts';
import type { TicketUnit } from '../../runtime/core/store/orders.ts';
import { approvedBy } from '../../scripts/simulation/orders.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { goodTicket, later, openDialogue, quietPlant, refusalsInLog, reserve } from './attack.ts';
import { commandIn } from './command.ts';

const DAY_MS = 86_400_000;

/** A line that has made its units. */
async function madeLine(seed: string, manners = {}): Promise<World> {
  const world = await createWorld({ seed, stations: 1, units: 3, quota: 5, manners });
  await world.run(DAY_MS);
  return world;
}

async function countsOf(world: World, ticket = 'SIM-1'): Promise<readonly string[]> {
  const { statement } = await world.instructions.gateway.instruct(ticketCountsInstruction, {
    ticket,
    after: '',
  });
  return [statement];
}

async function close(
  world: World,
  more: { counts?: readonly string[]; approvals?: readonly string[]; dryRun?: boolean; ticket?: string } = {},
) {
  const { ticket = 'SIM-1', approvals = [], dryRun = false } = more;
  const counts = more.counts ?? (await countsOf(world));
  return world.instructions.backend.instruct(closeTicketInstruction, {
    ticket,
    counts: [...counts],
    approvals: [...approvals],
    dryRun,
  });
}

const approvalsOf = (world: World, subject: string) =>
  Promise.all(world.parties.officers.map((one) => approvedBy(one, subject, world.clock.now(), 'close-out')));

describe('the close-out of a ticket', () => {
  it('counts what gateway and backend know of its units, and closes it with the officers’ approval', async () => {
    const world = await madeLine('closed', { 2: { name: 'signs-with-another-key' } });
    const { document, subject, differences } = await close(world, { dryRun: true });
    assert.deepEqual(differences, []);
    assert.deepEqual(document, {
      closeOut: 'SIM-1',
      counts: {
        ...{ taken: 3, released: 2, rejected: 1, quarantined: 0, open: 0, moved: 0, disowned: 0 },
        ...{ derivations: 3, confirmations: { gateway: 2, backend: 2 }, records: 2 },
      },
      open: [],
      quarantined: [],
    });
    const { leafIndex } = await close(world, { approvals: await approvalsOf(world, subject) });
    const leaf = readLeaf(
      world.fleet.tables.leaves.find('log_leaf_index', leafIndex ?? -1)?.entry ?? new Uint8Array(0),
    );
    assert.deepEqual([leaf?.kind, leaf?.body.subject], ['close-out', subject]);
    await assert.rejects(close(world, { dryRun: true }), { code: 'TICKET_CLOSED' });
    const ticket = await goodTicket(world, { quota: 5, stations: ['station-1'] });
    assert.equal((await reserve(world, { ticket, unit: 9, arrival: 99 })).refused, 'TICKET_CLOSED');
  });

  it('needs the quorum, for exactly these counts and for nothing else', async () => {
    const world = await madeLine('quorum');
    const { subject } = await close(world, { dryRun: true });
    const [one = ''] = await approvalsOf(world, subject);
    await assert.rejects(close(world), { code: 'APPROVALS_MISSING' });
    await assert.rejects(close(world, { approvals: [one] }), { code: 'APPROVALS_MISSING' });
    await assert.rejects(close(world, { approvals: [one, one] }), { code: 'APPROVAL_REFUSED' });
    const replayed = await approvalsOf(world, 'ab'.repeat(32));
    await assert.rejects(close(world, { approvals: replayed }), { code: 'APPROVAL_REFUSED' });
    assert.equal((await world.fleet.connect().transaction((tx) => tx.ticket('SIM-1')))?.closedAt, null);
  });

  it('is refused where a record is gone, and names the unit', async () => {
    const world = await madeLine('differs');
    const { records } = world.fleet.tables;
    const [gone = assert.fail('no record')] = records.all();
    records.remove(gone, []);
    const { subject, differences } = await close(world, { dryRun: true });
    assert.deepEqual(
      differences.map(({ operation, eid }) => [operation, eid]),
      differences.map(() => [gone.operation, gone.eid]),
    );
    assert.match(differences.map(({ missing }) => missing).join(), /its record is missing at the backend/);
    const approvals = await approvalsOf(world, subject);
    await assert.rejects(close(world, { approvals }), { code: 'COUNTS_DIFFER' });
  });

  it('takes only counts that the gateway signed, of this ticket, of this hour and complete', async () => {
    const world = await madeLine('statements');
    const counts = await countsOf(world);
    await assert.rejects(close(world, { counts: [...counts, ...counts] }), { code: 'CLOSE_OUT_REFUSED' });
    await assert.rejects(close(world, { counts: await countsOf(world, 'SIM-2') }), {
      code: 'CLOSE_OUT_REFUSED',
    });
    const [head, body = '', tail] = (counts[0] ?? '').split('.');
    const less = { ...payloadOf(ticketCounts, counts[0] ?? ''), units: [] };
    const forged = `${head}.${Buffer.from(JSON.stringify(less)).toString('base64url')}.${tail}`;
    assert.notEqual(body, '');
    await assert.rejects(close(world, { counts: [forged] }), { code: 'ENVELOPE_INVALID' });
    await later(world, 3_600_001);
    await assert.rejects(close(world, { counts, dryRun: true }), { code: 'CLOSE_OUT_REFUSED' });
    await close(world, { dryRun: true });
  });

  it('takes no counts behind those that are complete', async () => {
    const world = await quietPlant();
    await reserve(world, { ticket: await goodTicket(world), unit: 1, arrival: 1 });
    const counts = await countsOf(world);
    await assert.rejects(close(world, { counts: [...counts, ...counts] }), { code: 'CLOSE_OUT_REFUSED' });
    await close(world, { counts, dryRun: true });
  });

  it('carries what the gateway refused into the fleet log', async () => {
    const world = await quietPlant();
    const ticket = await goodTicket(world);
    const reserved = await reserve(world, { ticket, unit: 1, arrival: 1 });
    assert.equal(await openDialogue(world, { ticket, reserved, station: 2 }), 'RESERVATION_STALE');
    assert.deepEqual(refusalsInLog(world), []);
    const { document, subject } = await close(world, { dryRun: true });
    assert.deepEqual([document.counts.open, document.open.length], [1, 1]);
    await close(world, { approvals: await approvalsOf(world, subject) });
    const leaves = world.fleet.tables.leaves.all().map(({ entry }) => readLeaf(entry));
    const [refused] = leaves.filter((leaf) => leaf?.kind === 'refusal');
    assert.match(String(refused?.body.refused), /RESERVATION_STALE.*station-2/);
    const closed = leaves.find((leaf) => leaf?.kind === 'close-out');
    assert.deepEqual(closed?.body.refusedByGateway, { RESERVATION_STALE: 1 });
  });
});

describe('refusals of a gateway that are too many for leaves of their own', () => {
  it('stand in the log by their number and one hash, which changes with any of them and which the auditor makes again', async () => {
    const world = await quietPlant();
    const ticket = await goodTicket(world);
    await reserve(world, { ticket, unit: 1, arrival: 1 });
    const row = (i: number) => ({
      ...{ key: `refusal/station-1/${String(i).padStart(4, '0')}`, station: 'station-1', ticket: 'SIM-1' },
      ...{ code: 'ENVELOPE_INVALID', eid: '', entry: `{"i":${i}}`, at: '2026-01-01T00:00:00.000Z' },
    });
    const { refusals } = world.ledger.tables;
    for (let i = 0; i < 250; i++) refusals.insert(row(i), []);
    const { subject } = await close(world, { dryRun: true });
    await close(world, { approvals: await approvalsOf(world, subject) });
    const leaves = world.fleet.tables.leaves.all().map(({ entry }) => readLeaf(entry));
    assert.equal(leaves.filter((leaf) => leaf?.kind === 'refusal').length, 100);
    const closed = leaves.find((leaf) => leaf?.kind === 'close-out');
    assert.deepEqual(closed?.body.refusedByGateway, { ENVELOPE_INVALID: 250 });
    const listed = () => commandIn(world)(['ticket', 'refusals', 'SIM-1', '--socket', 'gateway']);
    const { out, err } = await listed();
    assert.equal(out.trim().split('\n').length, 250);
    assert.equal(err.trim(), `250 refusals; hash ${closed?.body.refusalsHash}`);
    refusals.remove(row(200), []);
    refusals.insert({ ...row(200), entry: '{"i":0}' }, []);
    const changed = await listed();
    assert.notEqual(changed.err, err);
  });
});

describe('the comparison of a close-out', () => {
  const backend = (changes: Partial<TicketUnit> = {}): TicketUnit => ({
    ...{ operation: 'op', eid: 'eid', state: 'released', ticket: 'T', recorded: true, confirmedEpoch: 2 },
    ...changes,
  });
  const gateway = (changes: Partial<LedgerUnit> = {}): LedgerUnit => ({
    ...{ operation: 'op', eid: 'eid', derived: true, confirmedEpoch: 2, verdictEpoch: 0 },
    ...changes,
  });
  const missing = (unit: TicketUnit | null, ledger: LedgerUnit | null, taken = 1): string =>
    closeOutOf(taken, unit === null ? [] : [unit], ledger === null ? [] : [ledger], 'T')
      .differences.map((one) => one.missing)
      .join('; ');

  it('finds nothing where both know the same, or the backend does not know yet', () => {
    assert.equal(missing(backend(), gateway()), '');
    const open = { state: 'reserved', recorded: false, confirmedEpoch: 0 } as const;
    for (const ledger of [null, gateway({ derived: false, confirmedEpoch: 0 }), gateway()])
      assert.equal(missing(backend(open), ledger), '');
    assert.equal(missing(backend({ ticket: 'other', recorded: false }), null), '');
  });

  it('says what is missing where', () => {
    const none = { state: 'diverted', recorded: false, confirmedEpoch: 0 } as const;
    const cases: readonly (readonly [RegExp, TicketUnit | null, LedgerUnit | null, number?])[] = [
      [/the backend has no unit of it/, null, gateway(), 0],
      [/2 units of the quota are taken, 1 are known/, backend(), gateway(), 2],
      [/record is missing at the backend/, backend({ recorded: false }), gateway()],
      [/confirmation is missing at the backend/, backend({ confirmedEpoch: 0 }), gateway()],
      [/released, its record is missing/, backend({ ...none, state: 'released' }), gateway()],
      [/confirmation is missing at the gateway/, backend(), gateway({ confirmedEpoch: 1 })],
      [/derivation of its keys is missing/, backend(), gateway({ derived: false })],
      [/derivation of its keys is missing/, backend(), null],
      [/under another EID/, backend(), gateway({ eid: 'other' })],
    ];
    for (const [words, unit, ledger, taken] of cases) assert.match(missing(unit, ledger, taken), words);
  });
});

describe('holdfast ticket close', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-close-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it('goes from counts over a dry run and two approvals to a closed ticket', async () => {
    const world = await madeLine('by hand');
    const holdfast = commandIn(world);
    const counts = write(
      'counts.json',
      (await holdfast(['ticket', 'counts', 'SIM-1', '--socket', 'gateway'])).out,
    );
    const closing = ['ticket', 'close', 'SIM-1', '--counts', counts, '--socket', 'backend'];
    const shown = await holdfast([...closing, '--dry-run']);
    assert.match(shown.out, /released +3[\s\S]*0 units still open/);
    const document = write('closing.json', (await holdfast([...closing, '--dry-run', '--json'])).out);
    const approvals: string[] = [];
    for (const { name } of world.parties.officers) {
      const approve = ['ticket', 'approve', document, '--closing', '--officer', name, '--key', name];
      const { out, err } = await holdfast([...approve, '--reason', 'all counted']);
      assert.match(err, /close-out +SIM-1/);
      approvals.push(write(`${name}.closing`, out));
    }
    const alone = await holdfast([...closing.slice(0, 3), approvals[0] ?? '', ...closing.slice(3)]);
    assert.match(alone.err, /APPROVALS_MISSING/);
    const closed = await holdfast([...closing.slice(0, 3), ...approvals, ...closing.slice(3)]);
    assert.equal(closed.code, 0, closed.err);
    assert.match(closed.out, /closed: leaf \d+ of the fleet log/);
    assert.match((await holdfast([...closing, '--dry-run'])).err, /TICKET_CLOSED/);
  });

  it('says which unit differs, and ends with a fault', async () => {
    const world = await madeLine('by hand, differing');
    const { records } = world.fleet.tables;
    const [gone = assert.fail('no record')] = records.all();
    records.remove(gone, []);
    const holdfast = commandIn(world);
    const counts = write(
      'other.json',
      (await holdfast(['ticket', 'counts', 'SIM-1', '--socket', 'gateway'])).out,
    );
    const args = ['ticket', 'close', 'SIM-1', '--counts', counts, '--socket', 'backend', '--dry-run'];
    const { code, out, err } = await holdfast(args);
    assert.equal(code, 1);
    assert.ok(out.includes(gone.eid) && out.includes('record is missing at the backend'));
    assert.match(err, /COUNTS_DIFFER/);
  });
});
