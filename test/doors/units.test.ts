/**
 * A running line meets what it should not accept. What is wrong with the station or its order holds the unit
 * until a person has mended it; only a verdict on the chip sends a unit away, recorded.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { openCertificateOffice, toPem } from '../../drivers/certificates/authority.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import { withCheckDigits } from '../../runtime/core/eid.ts';
import { serialFrom } from '../../runtime/core/pki/profile.ts';
import { ExitCode } from '../../runtime/program.ts';
import { placeForeignChip } from '../../scripts/kill/scenes.ts';
import { authorityIn } from '../../scripts/laboratory/certificates.ts';
import { OFFICERS } from '../../scripts/laboratory/root.ts';
import { holdfast } from '../cli/support.ts';
import { runToEnd } from '../run-to-end.ts';
import { assertReadable } from './refusal.ts';
import { openRig, type Rig } from './rig.ts';
import { assertCalm, assertWhole } from './whole.ts';

const DAY_MS = 86_400_000;

describe('a line that meets what it should not accept', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-units-'));
  const released: number[] = [];
  const foreign: number[] = [];
  let rig: Rig;

  before(async () => {
    rig = await openRig(directory);
  });
  after(async () => {
    await rig?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  const leavesGood = async (unit: number): Promise<void> => {
    assert.equal(await rig.departure(unit), 'good');
    released.push(unit);
  };
  const stays = (unit: number): void =>
    assert.ok(!rig.gate.some((gate) => gate.event === 'OPENED' && gate.unit === unit));

  it('keeps the unit while the station refuses to start, and lets it go under a right ticket and PIN', async () => {
    const unit = await rig.feed();
    await rig.loadTicket({ units: 1, stations: [{ ...rig.places.station(2), ticket: rig.own.ticket }] });
    await assert.rejects(rig.start(), /\(TICKET_INVALID\).*names other stations/s);
    await rig.loadTicket({ units: 1, nowMs: Date.now() - 8 * DAY_MS });
    await assert.rejects(rig.start(), /\(TICKET_INVALID\).*outside its validity/s);
    await rig.loadTicket({ units: 1 });
    const pinFile = join(directory, 'pin');
    writeFileSync(pinFile, '0'.repeat(24), { mode: 0o600 });
    const restore = rig.configure((settings) => Object.assign(settings.token as object, { pinFile }));
    await assert.rejects(rig.start(), /\(TOKEN_PIN_WRONG\).*Restore the right PIN file/s);
    restore();
    stays(unit);
    await rig.start();
    await leavesGood(unit);
  });

  it('holds the unit for which the ticket has no quota, until the next ticket', async () => {
    const since = rig.mark();
    const unit = await rig.feed();
    await rig.heldAndShown('QUOTA_EXHAUSTED', since);
    stays(unit);
    await rig.loadTicket({ units: 10 });
    await rig.restart();
    await leavesGood(unit);
  });

  it('holds a unit of another order until a person takes it out, and has used no quota for it', async () => {
    const since = rig.mark();
    const unit = rig.nextUnit();
    placeChip(rig, unit, withCheckDigits(eidOfIndex(unit, '89049033').slice(0, 30)));
    await rig.feed(unit);
    await rig.heldAndShown('TICKET_EID_REFUSED', since);
    stays(unit);
    await rig.world.board({ verb: 'take-by-hand' });
    await rig.logged('interrupted', (line) => line.on === 'arrival-ended', since);
    assert.equal(await rig.fleet((tx) => tx.operationByEid(eidOfIndex(unit, '89049033'))), null);
  });

  it('holds the unit while the reader has another name, and lets it go with the right one', async () => {
    await rig.stop();
    const restore = rig.configure((settings) => {
      const [nest] = settings.nests as Record<string, unknown>[];
      Object.assign(nest ?? {}, { reader: 'No such reader' });
    });
    await rig.start();
    const since = rig.mark();
    const unit = await rig.feed();
    await rig.heldAndShown('READER_ABSENT', since);
    stays(unit);
    restore();
    await rig.restart();
    await leavesGood(unit);
  });

  it('holds the unit while the certificate of the station has expired, and lets it go with a new one', async () => {
    await rig.stop();
    const certificate = join(directory, 'expired.pem');
    await writeExpired(rig, certificate);
    const restore = rig.configure((settings) => Object.assign(settings.bus as object, { certificate }));
    await rig.start();
    const since = rig.mark();
    const unit = await rig.feed();
    await rig.held('BUS_CERTIFICATE_EXPIRED', since);
    const status = await holdfast(['status', '--dir', rig.own.directory]);
    assert.equal(status.code, ExitCode.held, status.err);
    assertReadable(status.out, 'BUS_CERTIFICATE_EXPIRED', [certificate]);
    stays(unit);
    restore();
    await rig.restart();
    await leavesGood(unit);
  });

  it('rejects a chip that is not ours, recorded', async () => {
    const unit = rig.nextUnit();
    placeForeignChip(rig.own, unit);
    await rig.feed(unit);
    assert.equal(await rig.departure(unit), 'reject');
    foreign.push(unit);
    const rejections = await rig.fleet((tx) => tx.listRejections(10));
    assert.deepEqual(
      rejections.map(({ eid, faultCode }) => [eid, faultCode]),
      [[eidOfIndex(unit), 'CARD_NOT_OURS']],
    );
  });

  it('rejects a chip whose EID has wrong check digits, recorded without the EID', async () => {
    const unit = rig.nextUnit();
    placeChip(rig, unit, `${eidOfIndex(unit).slice(0, 30)}00`); // Check digits run from 02 to 98.
    await rig.feed(unit);
    assert.equal(await rig.departure(unit), 'reject');
    const rejections = await rig.fleet((tx) => tx.listRejections(10));
    const found = rejections.filter(({ faultCode }) => faultCode === 'CARD_EID_INVALID');
    assert.deepEqual([found.length, found[0]?.eid, rejections.length], [1, null, 2]);
  });

  it('counts its order at gateway and backend alike, and closes it when two officers have approved', async () => {
    const { root, pki } = rig.places;
    const file = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const said = async (...words: readonly string[]): Promise<string> => {
      const { code, out, err } = await holdfast(['ticket', ...words]);
      assert.equal(code, ExitCode.done, err);
      return out;
    };
    const judge = join(rig.places.backend, 'backend.json');
    const shown = await said('show', rig.own.ticket, '--judge', judge);
    const [, ticket = ''] = /^order +(\S+)$/m.exec(shown) ?? [];
    const counts = file('counts.json', await said('counts', ticket, '--dir', root));
    const closing = ['close', ticket, '--counts', counts, '--dir', root];
    const document = file('closing.json', await said(...closing, '--dry-run', '--json'));
    const approvals: string[] = [];
    for (const officer of OFFICERS) {
      const approve = ['--officer', officer, '--key', join(pki, `${officer}.key`), '--reason', 'all counted'];
      approvals.push(file(`${officer}.closing`, await said('approve', document, '--closing', ...approve)));
    }
    assert.match(await said(...closing, ...approvals), /^closed: leaf \d+ of the fleet log$/m);
    assert.notEqual((await rig.fleet((tx) => tx.ticket(ticket)))?.closedAt, null);
  });

  it('has lost nothing and done nothing twice', () => assertWhole(rig, { released, foreign }));

  it('has said it all in words, without a stack trace', () => assertCalm(rig));

  it('shows what was made when it has ended', async () => {
    await rig[Symbol.asyncDispose]();
    const inspect = (...words: readonly string[]) =>
      runToEnd('scripts/laboratory/inspect.js', ['--dir', rig.places.root, ...words]);
    const list = await inspect('fleet', 'list', '--json');
    assert.equal(list.code, ExitCode.done, list.err);
    for (const unit of released) assert.ok(list.out.includes(eidOfIndex(unit)));
    for (const unit of foreign) assert.ok(!list.out.includes(eidOfIndex(unit)));
    assert.match((await inspect('audit', 'verify')).out, /^VERIFIED$/m);
    assert.equal((await inspect('fleet', 'lst')).code, ExitCode.usage);
    for (const unit of [...released.slice(0, 1), ...foreign]) {
      const eid = eidOfIndex(unit);
      const { code, out, err } = await inspect('transcript', 'verify', '--eid', eid, '--token');
      assert.equal(code, ExitCode.done, err);
      assert.match(out, /^VERIFIED$/m);
    }
  });
});

/** A chip with an EID of its own, where the host looks for this unit. */
function placeChip(rig: Rig, unit: number, eid: string): void {
  const state = freshChip({
    eid,
    index: unit,
    transportMaster: randomBytes(32),
    transportKeyVersion: cardProfiles['holdfast-virtual'].transportKeyVersion,
  });
  writeFileSync(join(rig.own.chips, `${eidOfIndex(unit)}.json`), JSON.stringify(state), { mode: 0o600 });
}

/** A certificate for the station's own key that ended with the last full hour. */
async function writeExpired(rig: Rig, file: string): Promise<void> {
  const [own] = rig.line.laboratory.stations;
  assert.ok(own);
  const office = await openCertificateOffice();
  const authority = await authorityIn(office, rig.places.pki, 'bus-ca', 'Laboratory bus', 0);
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const der = await office.certifyParty(authority, {
    serial: serialFrom(randomBytes(16)),
    notBeforeMs: hour - DAY_MS,
    notAfterMs: hour,
    commonName: own.station.name,
    publicKey: own.token.tlsPublicKey,
    role: 'client',
  });
  writeFileSync(file, toPem('CERTIFICATE', der));
}
