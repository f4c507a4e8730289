/** The commands of revocation as an officer and a technician type them, over a simulated line. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openInstructionSocket } from '../../drivers/instruction/socket.ts';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import { seal, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import { instructionHandler } from '../../runtime/core/messages/instruction.ts';
import { planRevocationInstruction } from '../../runtime/core/messages/revocation.ts';
import { trustListStatement } from '../../runtime/core/messages/trust-list.ts';
import { foresee } from '../../runtime/core/pki/expiry.ts';
import { toPem } from '../../runtime/core/pki/pem.ts';
import { FAR_DATE_MS } from '../../runtime/core/pki/time.ts';
import { ISSUER } from '../../scripts/simulation/parties.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { holdfast } from '../cli/support.ts';
import { approved, type Desk, officersAt, openDesk } from './command.ts';
import { backend, trustListOf } from './gateway-office.ts';
import { DAY_MS, makeAuthority, makeCrl, makeDevice, NOW_MS } from './hierarchy.ts';

const quorum = { required: 2, officers: ['ada', 'bob'] };
let world: World;
let desk: Desk;

/** The simulated stores answer when the clock goes on. */
async function during<T>(work: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  work.then(end, end);
  while (!over) {
    await new Promise(setImmediate);
    if (!over) await world.clock.runNext(world.clock.monotonicMs() + 1_000);
  }
  return work;
}

before(async () => {
  const keys = openDesk({ nowMs: () => 0 });
  const officers: readonly TrustedKey[] = (await officersAt(keys, quorum.officers)).map(
    ({ name, publicKey }) => ({
      name,
      role: 'officer',
      publicKey: fromHex(publicKey),
    }),
  );
  const publisher = { publish: async () => undefined };
  world = await createWorld({
    seed: 'commands',
    stations: 1,
    units: 3,
    revocation: { quorum, officers, publisher },
  });
  await world.run(DAY_MS);
  desk = openDesk({
    nowMs: () => world.clock.now(),
    doors: { 'backend.sock': world.instructions.backend, 'gateway.sock': world.instructions.gateway },
    fleet: world.fleet.connect(),
    during,
  });
  for (const name of quorum.officers) desk.write(`${name}.key`, keys.read(`${name}.key`));
  await keys[Symbol.asyncDispose]();
  mkdirSync(desk.at('line'));
  desk.write('issuer.pem', toPem('CERTIFICATE', world.parties.issuerCertificate));
  desk.write('line/backend.json', JSON.stringify({ instructionSocket: 'backend.sock' }));
  const issuers = [{ name: ISSUER, certificate: desk.at('issuer.pem') }];
  desk.write('line/gateway.json', JSON.stringify({ instructionSocket: 'gateway.sock', issuers }));
});
after(() => desk[Symbol.asyncDispose]());

const revoke = (...more: readonly string[]) =>
  desk.holdfast('pki', 'revoke', '--dir', desk.at('line'), ...more);

describe('holdfast pki revoke', () => {
  it('shows who dies, who dies besides, what lists grow to, when it counts and who must agree; nothing changes', async () => {
    const { code, out } = await revoke('--eid', eidOfIndex(1), '--dry-run');
    assert.equal(code, 0);
    for (const told of [
      /1, of 1 aimed at/,
      /0 to 1 certificates/,
      /30 days/,
      /2 of ada, bob/,
      new RegExp(eidOfIndex(1)),
    ])
      assert.match(out, told);
    const besides = await revoke('--eid', eidOfIndex(1), '--way', 'intermediate', '--dry-run');
    assert.match(besides.out, /Who dies though not aimed at\n +units +2\n/);
    assert.match(besides.out, /365 days/);
    assert.equal(world.fleet.tables.revocations.all().length, 0);
  });

  it('asks for one aim, a reason that there is, and where the plan goes', async () => {
    for (const typed of [
      ['--dry-run'],
      ['--eid', eidOfIndex(1), '--batch', 'B', '--dry-run'],
      ['--eid', eidOfIndex(1)],
      ['--eid', eidOfIndex(1), '--reason', 'boredom', '--dry-run'],
      ['--eid', eidOfIndex(1), '--from', 'yesterday', '--dry-run'],
    ])
      assert.equal((await revoke(...typed)).code, 2, typed.join(' '));
  });

  it('executes what two officers approved, carries it to the gateway, and the fleet shows it', async () => {
    const plan = desk.at('plan.json');
    assert.equal((await revoke('--eid', eidOfIndex(2), '--reason', 'keyCompromise', '--plan', plan)).code, 0);
    const [ada = '', one = ''] = await approved(desk, plan, ['ada']);
    const alone = await revoke('--execute', plan, ada, one);
    assert.deepEqual([alone.code, /APPROVALS_MISSING/.test(alone.err)], [1, true]);
    const { code, out, err } = await revoke(
      '--execute',
      plan,
      ada,
      one,
      ...(await approved(desk, plan, ['bob'])),
    );
    assert.equal(code, 0, err);
    assert.match(out, new RegExp(`${ISSUER} number \\d+: 1 certificates`));
    const shown = await desk.holdfast('fleet', 'show', '--eid', eidOfIndex(2));
    assert.match(shown.out, /revoked +2026-.*keyCompromise, leaf \d+/);
    assert.doesNotMatch((await desk.holdfast('fleet', 'show', '--eid', eidOfIndex(1))).out, /revoked /);
  });

  it('asks the gateway’s ledger first, which knows certificates that no record names', async () => {
    const { certificates } = world.fleet.tables;
    const [row = assert.fail()] = certificates.all().filter(({ eid }) => eid === eidOfIndex(3));
    certificates.remove(row, []);
    const blind = await revoke('--eid', eidOfIndex(3), '--dry-run', '--recorded');
    assert.match(blind.err, /REVOCATION_REFUSED/);
    const { code, out, err } = await revoke('--eid', eidOfIndex(3), '--dry-run');
    assert.equal(code, 0, err);
    assert.match(err, /1 certificates of the gateway’s ledger were not known to the fleet/);
    assert.match(out, /1, of 1 aimed at/);
  });

  it('asks the programs at their sockets, as a process of its own', async () => {
    const path = desk.at('real.sock');
    const door = openInstructionSocket(path);
    const handler = instructionHandler(planRevocationInstruction, (body) =>
      during(world.instructions.backend.instruct(planRevocationInstruction, body)),
    );
    await door.serve([handler]);
    mkdirSync(desk.at('real'));
    desk.write('real/backend.json', JSON.stringify({ instructionSocket: path }));
    const aim = ['--eid', eidOfIndex(3), '--dry-run', '--recorded'];
    const { code, out, err } = await holdfast(['pki', 'revoke', '--dir', desk.at('real'), ...aim]);
    await door.close();
    assert.equal(code, 0, err);
    assert.match(out, /Who must agree/);
  });

  it('lets a batch fall with its intermediate, and its units are shown so', async () => {
    const plan = desk.at('batch.json');
    const approvals = async () => approved(desk, plan, quorum.officers);
    assert.equal((await revoke('--batch', 'SIM-BATCH-1', '--plan', plan)).code, 0);
    const { code, out, err } = await revoke(
      '--execute',
      plan,
      ...(await approvals()),
      '--trust-list',
      desk.at('list.jws'),
    );
    assert.equal(code, 0, err);
    assert.match(out, /1 intermediates[\s\S]*list number 1[\s\S]*holdfast pki root crl --revoke line-1/);
    assert.match(desk.read('list.jws'), /^ey/);
    const shown = await desk.holdfast('fleet', 'show', '--eid', eidOfIndex(1), '--json');
    assert.equal(JSON.parse(shown.out).revoked.by, 'intermediate');
  });
});

describe('holdfast pki expiry', () => {
  it('tells which intermediates end before their fleet, which lists are to be renewed, and the units that die', () => {
    const { authorities, lists, unitsAffected, alarm } = foresee({
      authorities: [
        { name: 'for-ever', notAfterMs: FAR_DATE_MS, units: 5 },
        { name: 'ten-years', notAfterMs: NOW_MS + 3650 * DAY_MS, units: 7 },
        { name: 'gone', notAfterMs: NOW_MS - DAY_MS, units: 2 },
      ],
      lists: [
        { name: 'new', thisUpdateMs: NOW_MS - DAY_MS, nextUpdateMs: NOW_MS + 29 * DAY_MS },
        { name: 'half', thisUpdateMs: NOW_MS - 15 * DAY_MS, nextUpdateMs: NOW_MS + 15 * DAY_MS },
        { name: 'old', thisUpdateMs: NOW_MS - 40 * DAY_MS, nextUpdateMs: NOW_MS - 10 * DAY_MS },
      ],
      nowMs: NOW_MS,
      untilMs: NOW_MS + 7300 * DAY_MS,
    });
    assert.deepEqual(
      authorities.map(({ name, verdict }) => [name, verdict]),
      [
        ['gone', 'ended'],
        ['ten-years', 'ends-before'],
        ['for-ever', 'outlives'],
      ],
    );
    assert.deepEqual(
      lists.map(({ name, verdict }) => [name, verdict]),
      [
        ['old', 'ran-out'],
        ['half', 'renew'],
        ['new', 'fresh'],
      ],
    );
    assert.deepEqual([unitsAffected, alarm], [9, true]);
  });

  it('asks gateway and fleet of a line, and ends with 1 when something ends too early', async () => {
    const quiet = await desk.holdfast('pki', 'expiry', '--dir', desk.at('line'));
    assert.equal(quiet.code, 0, quiet.err);
    assert.match(quiet.out, /line-1 +never +3 units +outlives its fleet/);
    const crl = desk.write(
      'old.crl.pem',
      toPem('X509 CRL', makeCrl(makeAuthority('Expiry root', null), [], { nextUpdateMs: NOW_MS })),
    );
    const told = await desk.holdfast('pki', 'expiry', '--dir', desk.at('line'), '--root-crl', crl);
    const ranOut = NOW_MS < world.clock.now();
    assert.deepEqual(
      [told.code, /ran out|to be renewed|fresh/.test(told.out)],
      [ranOut ? 1 : told.code, true],
    );
  });
});

describe('holdfast pki verify', () => {
  const root = makeAuthority('Verify root', null);
  const line = makeAuthority('Verify line', root);
  const unit = makeDevice(line);
  const at = new Date(NOW_MS).toISOString();
  const files = () => ({
    unit: desk.write('unit.pem', toPem('CERTIFICATE', unit.certificate)),
    root: desk.write('v-root.pem', toPem('CERTIFICATE', root.certificate)),
    line: desk.write('v-line.pem', toPem('CERTIFICATE', line.certificate)),
  });
  const verify = (...more: readonly string[]) => {
    const { unit: file, root: rootFile, line: lineFile } = files();
    return desk.holdfast(
      'pki',
      'verify',
      file,
      '--root',
      rootFile,
      '--intermediate',
      lineFile,
      '--at',
      at,
      ...more,
    );
  };

  it('trusts a good unit by its lists, refuses a revoked one, and asks for lists or a word that there are none', async () => {
    const rootList = desk.write('v-root.crl', toPem('X509 CRL', makeCrl(root, [])));
    const clean = desk.write('v-clean.crl', toPem('X509 CRL', makeCrl(line, [])));
    const dirty = desk.write('v-dirty.crl', toPem('X509 CRL', makeCrl(line, [unit.serial])));
    assert.equal((await verify('--crl', rootList, '--crl', clean)).code, 0);
    const refused = await verify('--crl', rootList, '--crl', dirty);
    assert.deepEqual(
      [refused.code, /CERTIFICATE_NOT_TRUSTED/.test(refused.err), /revoked/.test(refused.err)],
      [1, true, true],
    );
    assert.equal((await verify()).code, 2);
    assert.equal((await verify('--no-crl')).code, 0);
  });

  it('obeys the trust list at once, and refuses an older one or one that the backend did not sign', async () => {
    const publicKey = toHex(backend.publicKey);
    const trusted = desk.write(
      'trusted.json',
      JSON.stringify({ trusted: [{ name: 'backend-1', role: 'backend', publicKey }] }),
    );
    const list = desk.write('v-list.jws', await trustListOf(5, [line]));
    const by = (...more: readonly string[]) =>
      verify('--no-crl', '--trusted', trusted, '--trust-list', ...more);
    const refused = await by(list);
    assert.deepEqual([refused.code, /issuer-on-the-trust-list/.test(refused.err)], [1, true]);
    assert.match((await by(list, '--list-number', '6')).err, /TRUST_LIST_REFUSED/);
    const empty = { number: 6, issuedAt: at, intermediates: [], stations: [] };
    const forged = await seal(trustListStatement, empty, makeAuthority('Nobody', null).key, nodeCrypto);
    assert.match((await by(desk.write('forged.jws', forged))).err, /TRUST_LIST_REFUSED/);
    assert.equal((await by(desk.write('next.jws', await trustListOf(6, [])))).code, 0);
  });
});

describe('holdfast pki drill', () => {
  it('rehearses the fall of an intermediate, takes the time of each step, and leaves nothing behind', async () => {
    const { code, out, err } = await desk.holdfast('pki', 'drill', '--json');
    assert.equal(code, 0, err);
    const { steps, obeyed, standardVerifiersBy } = JSON.parse(out) as {
      steps: { step: string; ms: number }[];
      obeyed: boolean;
      standardVerifiersBy: string;
    };
    assert.deepEqual([obeyed, steps.length, steps.every(({ ms }) => ms >= 0)], [true, 6, true]);
    assert.ok(Date.parse(standardVerifiersBy) > world.clock.now());
  });
});
