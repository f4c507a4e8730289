import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openPostgresLedger } from '../../drivers/store/postgres/ledger.ts';
import type { Means } from '../../runtime/cli/means.ts';
import { runCommandLine } from '../../runtime/cli/run.ts';
import { plain } from '../../runtime/cli/screen.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import type { ConclusionRow } from '../../runtime/core/store/ledger.ts';
import { ISSUER } from '../../scripts/simulation/parties.ts';
import { gatewaySettings } from '../../scripts/simulation/settings.ts';
import { usualSupply } from '../../scripts/simulation/supply.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import type { Ended } from '../run-to-end.ts';
import { rowsOf, tokenOf } from '../simulation/kept.ts';
import { type PrivatePostgres, privatePostgres } from '../store/private-postgres.ts';
import { holdfast, nothingElse } from './support.ts';

const DAY_MS = 86_400_000;
const top = mkdtempSync(join(tmpdir(), 'cli-transcript-'));
const line = join(top, 'line');
const file = join(top, 'unit.json');

let world: World;
let rows: readonly ConclusionRow[];
let server: PrivatePostgres;

const row = (kind: ConclusionRow['kind']): ConclusionRow =>
  rows.find((one) => one.kind === kind) ?? assert.fail(`no ${kind}`);

/** The directory of a line: one station that trusts the gateway, the gateway's configuration, its issuer. */
function makeLine(): void {
  for (const part of ['station-1', 'gateway-1']) mkdirSync(join(line, part), { recursive: true });
  const trusted = world.parties.trusted.map((key) => ({ ...key, publicKey: toHex(key.publicKey) }));
  writeFileSync(join(line, 'station-1', 'station.json'), JSON.stringify({ trusted }));
  const certificate = join(line, 'issuer.pem');
  const der = Buffer.from(world.parties.issuerCertificate).toString('base64');
  writeFileSync(certificate, `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`);
  const issuers = [{ name: ISSUER, key: `issuer-${ISSUER}`, certificate }];
  const settings = { ...gatewaySettings(usualSupply), issuers, ledgerUrl: server.options('ledger').url };
  writeFileSync(join(line, 'gateway-1', 'gateway.json'), JSON.stringify(settings));
}

before(async () => {
  world = await createWorld({
    seed: 'kept',
    stations: 1,
    units: 2,
    manners: { 2: { name: 'signs-with-another-key' } },
  });
  await world.run(DAY_MS);
  rows = await rowsOf(world);
  server = await privatePostgres(['ledger']);
  makeLine();
  await using ledger = await openPostgresLedger(server.options('ledger'));
  for (const one of rows) await ledger.conclude(one);
  const { out } = await transcript('show', '--eid', row('confirmation').eid, '--json');
  writeFileSync(file, out);
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(top, { recursive: true });
});

const transcript = (verb: string, ...args: readonly string[]) =>
  holdfast(['transcript', verb, '--dir', line, ...args]);

describe('holdfast transcript show', () => {
  it('shows the steps, the lists and every APDU of a unit, of PUT KEY a hash', async () => {
    const { code, out, err } = await transcript('show', '--eid', row('confirmation').eid);
    assert.equal(code, 0, err);
    assert.match(
      out,
      /^ {2}passed {2}key-dek +a key set that only token and chip can know .* \(scratch-set\)$/m,
    );
    assert.match(out, /^put-key, 4 actions, changes the chip$/m);
    assert.match(out, /^ {2}> 84d80081[0-9a-f]{2}\{sha256:[0-9a-f]{64}\}[0-9a-f]{18}$/m);
  });

  it('says so where the ledger has none', async () => {
    const { code, out, err } = await transcript('show', '--eid', row('confirmation').eid, '--epoch', '9');
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /has no transcript of \d{32} in epoch 9/);
  });
});

describe('holdfast transcript verify', () => {
  it('verifies a file that was handed on, and the one in the ledger, by the keys of the line', async () => {
    for (const which of [[file], ['--eid', row('confirmation').eid]]) {
      const { code, out, err } = await transcript('verify', ...which);
      assert.equal(code, 0, err);
      assert.match(out, /^ok {2}signature +the confirmation is signed by gateway-1$/m);
      assert.match(out, /^ok {2}steps +all 11 steps of the procedure are judged, none failed$/m);
      assert.match(out, /^ok {2}key pair +the chip signed the request/m);
      assert.match(out, /^ok {2}issuer +the certificate is signed by line-1$/m);
      assert.match(out, /^VERIFIED$/m);
    }
  });

  it('verifies a verdict, and says at which step it fell', async () => {
    const { code, out } = await transcript('verify', '--eid', row('verdict').eid, '--json');
    assert.equal(code, 0);
    const { verified, kind, checks } = JSON.parse(out);
    assert.deepEqual([verified, kind], [true, 'verdict']);
    const steps = checks.find(({ check }: { check: string }) => check === 'steps');
    assert.equal(steps.found, 'the chip failed at key-pair: CARD_KEY_PAIR_NOT_PROVED');
  });

  it('needs no line where the keys are typed', async () => {
    const key = toHex(
      world.parties.trusted.filter(({ role }) => role === 'gateway')[1]?.publicKey ?? assert.fail(),
    );
    const issuer = `${ISSUER}=${join(line, 'issuer.pem')}`;
    const args = ['transcript', 'verify', file, '--dir', top, '--gateway-key', key, '--issuer', issuer];
    assert.equal((await holdfast(args)).code, 0);
  });

  it('exits 1 with TRANSCRIPT_INVALID when an answer was changed, and names what is wrong', async () => {
    const spoilt = join(top, 'spoilt.json');
    const kept = JSON.parse((await transcript('show', '--eid', row('confirmation').eid, '--json')).out);
    const [answered] = kept.transcript.lists[1].actions;
    answered.wire[0].answer = '6a80';
    writeFileSync(spoilt, JSON.stringify(kept));
    const { code, out, err } = await transcript('verify', spoilt);
    assert.equal(code, 1);
    assert.match(out, /^FAILED {2}transcript hash {2}the exchanges are not those that were signed$/m);
    assert.match(out, /^NOT VERIFIED: transcript hash$/m);
    assert.match(err, /TRANSCRIPT_INVALID/);
  });

  it('exits 1 for a file that is no transcript', async () => {
    const { code, err } = await transcript('verify', join(line, 'issuer.pem'));
    assert.equal(code, 1);
    assert.match(err, /MESSAGE_MALFORMED/);
  });
});

describe('holdfast transcript verify --token', () => {
  it('makes the codes of every session again, and says what it cannot', async () => {
    const { code, out } = await inProcess(['transcript', 'verify', file, '--dir', line, '--token']);
    assert.equal(code, 0, out);
    assert.match(
      out,
      /^ok +session 1 +begun in transport-open, transport set 30: .* 1 PUT KEY wrapped again and the same$/m,
    );
    assert.match(out, /^not checked +session \d +begun in prove, scratch set 3f: cannot be made again/m);
    assert.match(out, /^Of PUT KEY only a hash is kept/m);
    assert.match(out, /^VERIFIED$/m);
  });

  it('asks the token nothing about a transcript that is not signed', async () => {
    const spoilt = join(top, 'spoilt.json');
    const { code, err } = await inProcess(['transcript', 'verify', spoilt, '--dir', line, '--token'], () =>
      assert.fail('the token was asked'),
    );
    assert.equal(code, 1);
    assert.match(err, /TRANSCRIPT_INVALID/);
  });

  it('exits 1 when the token has other masters', async () => {
    const other = { ...world, parties: { ...world.parties, fleetMaster: new Uint8Array(32) } };
    const args = ['transcript', 'verify', file, '--dir', line, '--token'];
    const { code, out } = await inProcess(args, () => tokenOf(other));
    assert.equal(code, 1);
    assert.match(out, /^FAILED +session \d +.* fleet set 31: the chip’s cryptogram is wrong$/m);
  });
});

/** The command in this process, with the token of the simulation behind it. */
async function inProcess(args: readonly string[], token = () => tokenOf(world)): Promise<Ended> {
  const said = { out: '', err: '' };
  const nowhere = async (): Promise<never> => assert.fail('something else was opened');
  const means: Means = {
    print: (text) => {
      said.out += `${text}\n`;
    },
    talk: (text) => {
      said.err += `${text}\n`;
    },
    paint: plain,
    version: '0.0.0',
    now: () => 0,
    crypto: nodeCrypto,
    files: {
      exists: existsSync,
      read: (path) => readFileSync(path, 'utf8'),
      names: (directory) => readdirSync(directory),
      parent: (path) => path,
    },
    databaseUrl: null,
    ...nothingElse,
    openJournal: nowhere,
    openFleet: nowhere,
    openLedger: nowhere,
    openToken: async () => {
      const judge = token();
      let closed = false;
      return {
        auditSession: async (keys, session) => {
          await new Promise(setImmediate);
          assert.ok(!closed, 'asked after it was closed');
          return judge.auditSession(keys, session);
        },
        [Symbol.asyncDispose]: async () => {
          closed = true;
        },
      };
    },
  };
  return { code: await runCommandLine(args, means), ...said };
}
