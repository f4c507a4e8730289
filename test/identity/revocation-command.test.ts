/** The enrolment and the revocation of a station as officers and operators do it: by commands, at the sockets of backend and gateway. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createInMemoryBroker } from '../../drivers/bus/in-memory.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { openInstructionSocket } from '../../drivers/instruction/socket.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { createInMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import { createInMemoryLedgerDatabase } from '../../drivers/store/in-memory-ledger.ts';
import { createInMemoryMark } from '../../drivers/store/in-memory-mark.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import { createSimulatedToken } from '../../drivers/token/simulated.ts';
import { createBackend } from '../../runtime/backend/backend.ts';
import { askEnrolment } from '../../runtime/core/messages/enrolment.ts';
import { derCertificates } from '../../runtime/core/pki/tbs.ts';
import { createGateway } from '../../runtime/gateway/gateway.ts';
import { p256KeyFile } from '../../scripts/laboratory/keys.ts';
import { createParties, ISSUER } from '../../scripts/simulation/parties.ts';
import { backendSettings, gatewaySettings } from '../../scripts/simulation/settings.ts';
import { mastersOf, usualSupply } from '../../scripts/simulation/supply.ts';
import { enrol } from './enrolment-rig.ts';

const OFFICERS = ['ada', 'bob'];

describe('the commands that admit and revoke a station', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-revoke-'));
  const at = (name: string): string => join(directory, name);
  const log = createMemoryLog();
  const doors = [
    openInstructionSocket(at('backend.sock')),
    openInstructionSocket(at('gateway.sock')),
  ] as const;
  before(async () => {
    const clock = openSystemClock();
    const entropy = createSimulatedEntropy('revocation by commands');
    const parties = createParties(entropy, ['station-1'], clock.now());
    const broker = createInMemoryBroker({
      ...{ clock, entropy, weather: { lossRate: 0, duplicateRate: 0, delayMs: { min: 0, max: 0 } } },
    });
    const may = { clean: true, mayPublish: () => true, mayReceive: () => true };
    const officers = [];
    for (const name of OFFICERS) {
      const { publicKey } = await openFileSigner(p256KeyFile(at(`${name}.key`)));
      officers.push({ name, role: 'officer' as const, publicKey });
    }
    const trusted = [...parties.trusted, ...officers];
    const common = { clock, entropy, crypto: nodeCrypto, trusted, log };
    const stationQuorum = { required: 2, officers: OFFICERS };
    await createBackend(
      { ...backendSettings(['station-1'], 'controller'), stationQuorum },
      {
        ...common,
        bus: broker.connect({ clientId: 'backend-1', ...may }),
        ...{ signer: parties.backendSigner, logSigner: parties.logSigner, heads: createInMemoryHead() },
        store: createInMemoryFleetDatabase({ clock }).connect(),
        controllers: [{ name: 'gate-1', station: 'station-1', key: new Uint8Array(16) }],
        instructions: doors[0],
      },
    );
    await createGateway(gatewaySettings(usualSupply), {
      ...common,
      bus: broker.connect({ clientId: 'gateway-1', ...may }),
      token: createSimulatedToken({
        entropy,
        masters: mastersOf(parties, usualSupply),
        signingKeys: parties.gatewayKeys,
      }),
      ledger: createInMemoryLedgerDatabase({ clock }).connect(),
      marks: createInMemoryMark(),
      certificates: derCertificates,
      issuers: [{ name: ISSUER, key: `issuer-${ISSUER}`, certificate: parties.issuerCertificate }],
      instructions: doors[1],
    });
    for (const name of ['backend', 'gateway'])
      writeFileSync(at(`${name}.json`), JSON.stringify({ instructionSocket: at(`${name}.sock`) }));
  });
  after(async () => {
    for (const door of doors) await door.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const newKey = (name: string) => openFileSigner(p256KeyFile(at(name)));
  const revoke = (approvals: readonly string[], file?: string) =>
    enrol(
      ['revoke', 'station-1', ...approvals.map(at), '--reason', 'stolen', '--backend', at('backend.json')],
      file === undefined ? {} : { file },
    );

  it('have two officers approve, the backend refuse from then on, and the gateway take the list', async () => {
    await enrol(['revoked', '--backend', at('backend.json')], { file: at('before') });
    for (const officer of OFFICERS) {
      const words = ['--officer', officer, '--key', at(`${officer}.key`), '--reason', 'stolen'];
      const approved = await enrol(['approve', '--revoke', 'station-1', ...words], { file: at(officer) });
      assert.match(approved.err, /station-1 is to be revoked, for ever: stolen/);
    }
    assert.match((await revoke(['ada'])).err, /APPROVALS_MISSING/);
    const done = await revoke(OFFICERS, at('list'));
    assert.equal(done.code, 0, done.err);
    assert.match(done.err, /station-1 is refused since .*; list 1 is for the gateways/);
    const told = await enrol(['tell', at('list'), '--gateway', at('gateway.json')]);
    assert.match(told.err, /list 1 is in force: station-1 refused/);
    const events = log.lines.map(({ event }) => event);
    assert.ok(events.includes('station-revoked') && events.includes('stations-told'));
  });

  it('have two officers admit a new station, and the gateway take it with the list', async () => {
    const requestedAt = new Date().toISOString();
    const keys = { tls: await newKey('tls.key'), envelope: await newKey('envelope.key') };
    const asked = { station: 'station-9', requestedAt };
    const request = await askEnrolment(asked, keys, { code: null, present: null }, nodeCrypto);
    writeFileSync(at('request'), request);
    for (const officer of OFFICERS) {
      const words = ['--officer', officer, '--key', at(`${officer}.key`), '--reason', 'new fixture'];
      await enrol(['approve', at('request'), ...words], { file: at(`${officer}.new`) });
    }
    const backend = ['--backend', at('backend.json')];
    const approvals = OFFICERS.map((officer) => at(`${officer}.new`));
    const admitted = await enrol(['admit', at('request'), ...approvals, ...backend], {
      file: at('admitted'),
    });
    assert.match(admitted.err, /believed since .*; list 2 is for the gateways/);
    const told = await enrol(['tell', at('admitted'), '--gateway', at('gateway.json')]);
    assert.match(told.err, /list 2 is in force: station-1 refused; station-9 enrolled/);
    assert.ok(log.lines.some(({ event }) => event === 'station-enrolled'));
  });

  it('refuse the list of yesterday, and one with a bit flipped', async () => {
    const older = await enrol(['tell', at('before'), '--gateway', at('gateway.json')]);
    assert.match(older.err, /STATION_LIST_REFUSED/);
    const [head, body = '', tail] = readFileSync(at('list'), 'utf8').trim().split('.');
    const text = Buffer.from(body, 'base64url').toString('utf8').replace('station-1', 'station-2');
    writeFileSync(at('forged'), [head, Buffer.from(text).toString('base64url'), tail].join('.'));
    const forged = await enrol(['tell', at('forged'), '--gateway', at('gateway.json')]);
    assert.match(forged.err, /ENVELOPE_INVALID/);
  });
});
