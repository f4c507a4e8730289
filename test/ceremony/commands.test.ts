/** The whole way through the HSM room on the command line, with officers whose keys are in tokens of their own. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createBareToken, type LaboratoryToken } from '../../drivers/token/pkcs11/provision.ts';
import { p256KeyFile } from '../../scripts/laboratory/keys.ts';
import { holdfast } from '../cli/support.ts';
import { planOf } from './room.ts';

let directory = '';
const at = (name: string): string => join(directory, name);
const write = (name: string, value: unknown): string => {
  writeFileSync(at(name), typeof value === 'string' ? value : JSON.stringify(value));
  return at(name);
};
/** Runs the command, which must do what it says, and answers what it printed. */
const did = async (...args: readonly string[]): Promise<string> => {
  const { code, out, err } = await holdfast(['ceremony', ...args]);
  assert.equal(code, 0, err);
  return out;
};
const placeOf = ({ module, pinFile, softHsmConf }: LaboratoryToken) => ({ module, pinFile, softHsmConf });

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-room-'));
  const [gateway, ada] = await Promise.all([
    createBareToken({ directory: at('gateway'), label: 'gateway', role: 'gateway' }),
    createBareToken({ directory: at('ada'), label: 'ada', role: 'officer' }),
  ]);
  write('gateway.json', placeOf(gateway));
  write('ada.json', { ...placeOf(ada), label: 'ada', key: 'officer-ada' });
});
after(() => rm(directory, { recursive: true, force: true }));

describe('a ceremony on the command line', () => {
  it('goes from components and officers over plan, approvals and run to a record that anyone verifies', async () => {
    const custodians = await Promise.all(
      ['carla', 'dario'].map(async (custodian) => {
        const out = await did('component', at(`${custodian}.key`), '--json');
        assert.equal(statSync(at(`${custodian}.key`)).mode & 0o777, 0o600);
        return { custodian, checkValue: (JSON.parse(out) as { checkValue: string }).checkValue };
      }),
    );
    const ada = await did('officer', '--officer', 'ada', '--officer-token', at('ada.json'));
    const bob = await did('officer', '--officer', 'bob', '--key', p256KeyFile(at('bob.key')));
    const recipient = ['recipient', at('carry.key'), '--recipient', 'backend-1'];
    const recipients = [JSON.parse(await did(...recipient))];
    const officers = write('officers.json', { trusted: [JSON.parse(ada), JSON.parse(bob)] });
    const plan = write(
      'plan.json',
      planOf({
        token: { role: 'gateway', label: 'gateway', serial: null, class: 'software' },
        quorum: { required: 2, officers: ['ada', 'bob'] },
        steps: [
          { do: 'generate', key: 'constants-seal' },
          { do: 'generate', key: 'mdk-1', backup: { file: 'mdk-1.wrapped', components: custodians } },
          { do: 'join', key: 'transport-master', components: custodians },
          { do: 'constants', file: 'constants.json', keyVersions: { 'mdk-1': [49] } },
          { do: 'release-tag', controller: 'gate-1', file: 'gate-1.tag', recipients },
        ],
      }),
    );
    const told = await did('plan', plan);
    assert.match(told, /^2\. Generate mdk-1, wrap it under the key that carla \([0-9a-f]{6}\) and dario/m);
    assert.match(told, /EXTRACTABLE=no .*DERIVE=yes .*ALLOWED_MECHANISMS=AES_CBC_ENCRYPT_DATA/);
    const hash = /^plan ([0-9a-f]{64})$/m.exec(told)?.[1] ?? '';
    const reason = ['--reason', 'masters of line 1'];
    const approve = async (officer: string, ...key: readonly string[]) =>
      did('approve', plan, '--officer', officer, ...key, ...reason, '--out', at(`${officer}.jws`));
    assert.match(
      await approve('ada', '--officer-token', at('ada.json')),
      new RegExp(`ada approved the ceremony ${hash}`),
    );
    await approve('bob', '--key', at('bob.key'));
    const run = (...more: readonly string[]) => [
      ...['run', plan, '--record', at('record'), '--token', at('gateway.json'), '--trusted', officers],
      ...['--officer', 'bob', '--key', at('bob.key'), '--approval', at('bob.jws')],
      ...more,
    ];
    const alone = await holdfast(['ceremony', ...run()]);
    assert.equal(alone.code, 1);
    assert.match(alone.err, /APPROVALS_MISSING/);
    const components = custodians.flatMap(({ custodian }) => [
      '--component',
      `${custodian}=${at(custodian)}.key`,
    ]);
    const done = await did(...run('--approval', at('ada.jws'), ...components));
    assert.match(done, /^2 +generate mdk-1 +done +outside, check value [0-9a-f]{6} +bob, ada$/m);
    assert.match(
      done,
      /^5 +release-tag gate-1\.tag +done +check value [0-9a-f]{6}, carried to backend-1 +bob, ada$/m,
    );
    assert.match(done, /What only our code does:\n {2}The quorum of officers/);
    const record = at('record/record.jws');
    assert.match(await did('verify', record, '--trusted', officers), /^VERIFIED: \d+ checks$/m);
    const witness = ['--trusted', officers, '--officer', 'ada', '--officer-token', at('ada.json')];
    assert.match(
      await did('witness', record, ...witness, '--out', at('ada.witness.jws')),
      /^ada witnessed the record/m,
    );
    assert.equal(await did(...run('--approval', at('ada.jws'))), done);
    const key = ['--recipient', 'backend-1', '--key', at('carry.key'), '--out', at('gate-1.key')];
    const proof = ['--record', record, '--trusted', officers];
    const checkValue = await did('receive', at('record/gate-1.tag'), ...key, ...proof);
    assert.ok(done.includes(checkValue.trim()));
    assert.match(readFileSync(at('gate-1.key'), 'utf8'), /^[0-9a-f]{32}\n$/);
    assert.equal(statSync(at('gate-1.key')).mode & 0o777, 0o600);
    const altered = readFileSync(record, 'utf8').replace('.', '.A');
    const refused = await holdfast([
      'ceremony',
      'verify',
      write('altered.jws', altered),
      '--trusted',
      officers,
    ]);
    assert.deepEqual([refused.code, refused.out], [1, '']);
    assert.match(refused.err, /CEREMONY_RECORD_INVALID/);
  });

  it('takes a component from standard input, and shows it nowhere', async () => {
    const plan = JSON.parse(readFileSync(at('plan.json'), 'utf8')) as { steps: { components?: object[] }[] };
    const components = plan.steps[2]?.components ?? [];
    const step = { do: 'join', key: 'mdk-7', components };
    const again = write('typed.json', { ...plan, title: 'typed', steps: [step] });
    for (const [officer, key] of [
      ['ada', ['--officer-token', at('ada.json')]],
      ['bob', ['--key', at('bob.key')]],
    ] as const)
      await did(
        'approve',
        again,
        '--officer',
        officer,
        ...key,
        '--reason',
        'typed',
        '--out',
        at(`${officer}.jws`),
      );
    const typed = ['carla', 'dario'].map((name) => readFileSync(at(`${name}.key`), 'utf8').trim());
    const args = [
      ...['ceremony', 'run', again, '--record', at('typed'), '--token', at('gateway.json')],
      ...['--trusted', at('officers.json'), '--approval', at('ada.jws'), '--approval', at('bob.jws')],
      ...['--officer', 'bob', '--key', at('bob.key')],
    ];
    const { code, out, err } = await holdfast(args, {}, `${typed.join('\n')}\n`);
    assert.equal(code, 0, err);
    assert.match(err, /carla: 64 hexadecimal digits, not shown: \n/);
    for (const component of typed) assert.ok(!`${out}${err}`.includes(component));
  });
});
