/** `holdfast operator` on a simulated plant: from the order to the shift, and to being forgotten. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ExitCode } from '../../runtime/program.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { inProcess, kept, noCeremony } from '../cli/support.ts';
import { BADGE, lasting } from '../simulation/shift-plant.ts';

let directory: string;
let world: World;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'operator-'));
  world = await createWorld({
    seed: 'operator',
    stations: 1,
    units: 0,
    quota: 1,
    revokers: { quorum: { required: 2, officers: ['officer-1', 'officer-2'] }, keys: [] },
  });
});
after(() => rmSync(directory, { recursive: true }));

/** A socket is named by its program, a key by its officer; the reader types the badge. */
function holdfast(...args: readonly string[]) {
  return inProcess(args, {
    now: () => world.clock.now(),
    typedLine: async () => `${BADGE}\n`,
    ceremony: { ...noCeremony, random: (count) => new Uint8Array(count).fill(9) },
    openSigner: async (key) =>
      kept(
        world.parties.officers.find(({ name }) => 'file' in key && name === key.file)?.signer ??
          assert.fail('no key'),
      ),
    instruct: (socket, of, body) => {
      assert.equal(socket, of.to);
      return lasting(world, world.instructions[of.to].instruct(of, body));
    },
  });
}

async function approvedBy(name: string, ...what: readonly string[]): Promise<string> {
  const said = await holdfast(
    ...['operator', 'approve', ...what],
    ...['--officer', name, '--key', name, '--reason', 'as agreed'],
  );
  assert.equal(said.code, ExitCode.done, said.err);
  return written(`${name}.approval`, said.out);
}

function written(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const atStation = (what: string, ...more: readonly string[]) =>
  holdfast('operator', what, '--socket', 'station', ...more);
const atBackend = (what: string, ...more: readonly string[]) =>
  holdfast('operator', what, '--socket', 'backend', ...more);

describe('holdfast operator', () => {
  it('registers the badge that a reader types, signs it in and out, lists it, and has it forgotten', async () => {
    const drafted = await holdfast('operator', 'draft', '--reader', '--name', 'Ada L.');
    const order = written('ada.order', drafted.out);
    const officers = ['officer-1', 'officer-2'];
    const signed: string[] = [];
    for (const name of officers) signed.push(await approvedBy(name, order));
    const registered = await atBackend('register', order, ...signed);
    const [pseudonym = ''] = /op-[0-9a-f]{32}/.exec(registered.out) ?? [];
    assert.equal(registered.out, `Ada L. is ${pseudonym}\n`);
    assert.match((await atStation('show')).out, /; nobody is signed in\n$/);
    const shift = await atStation('sign-in', '--reader');
    assert.ok(shift.out.startsWith(`Ada L. (${pseudonym}) until 2026-01-01T12:00:00.`), shift.out);
    assert.equal((await atStation('show')).out, shift.out);
    assert.match((await atStation('sign-out')).out, /; nobody is signed in\n$/);
    assert.equal((await atBackend('list')).out, `${pseudonym}  Ada L.\n`);
    const removal: string[] = [];
    for (const name of officers) removal.push(await approvedBy(name, '--remove', pseudonym, '--forget'));
    const kept = await atBackend('remove', pseudonym, ...removal);
    assert.equal(kept.code, ExitCode.fault, 'it was approved that the key goes too');
    const gone = await atBackend('remove', pseudonym, ...removal, '--forget');
    assert.match(gone.out, /^op-[0-9a-f]{32} is forgotten: leaf \d+ of the log\n$/);
    assert.equal((await atBackend('list')).out, '');
    const { code, err } = await atStation('sign-in', '--badge', BADGE);
    assert.equal(code, ExitCode.fault);
    assert.match(err, /Nobody may sign in with this badge \(OPERATOR_UNKNOWN\)/);
  });

  it('says what is wrong with a badge without repeating it', async () => {
    for (const args of [['--badge', 'a b c d e'], ['--badge', BADGE, '--reader'], []]) {
      const { code, err } = await atStation('sign-in', ...args);
      assert.equal(code, ExitCode.usage);
      assert.equal(err.includes('a b c') || err.includes(BADGE), false);
    }
  });
});
