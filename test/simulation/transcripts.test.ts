/** What is kept of dialogues with honest chips, with chips that are resumed, and with liars. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { liars, type MannerName, manners } from '../../drivers/card-reader/virtual-se/mutants/table.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { checkTranscript } from '../../runtime/cli/transcript/checks.ts';
import { recompute } from '../../runtime/cli/transcript/recompute.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { procedureSteps, type TranscriptFile } from '../../runtime/core/card/transcript-form.ts';
import { sessionsOf } from '../../runtime/core/card/transcript-sessions.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { fateOf } from './fates.ts';
import { assertVerified, parsed, rowsOf, tokenOf, trustOf } from './kept.ts';

const DAY_MS = 86_400_000;
const DIGEST = '00'.repeat(32);

describe('the transcript of a good unit', () => {
  let world: World;
  let file: TranscriptFile;
  const onWire: Uint8Array[] = [];
  before(async () => {
    world = await createWorld({
      seed: 'transcripts',
      units: 1,
      stations: 1,
      wire: (command) => onWire.push(command.slice()),
    });
    await world.run(DAY_MS);
    const [row, ...more] = await rowsOf(world);
    assert.ok(row !== undefined && more.length === 0);
    file = parsed(row);
  });

  it('is verified by anybody with public keys, and every session by a token with the same masters', async () => {
    assert.equal(file.kind, 'confirmation');
    assert.equal(file.transcript.judged.possession?.kind, 'request');
    await assertVerified(file, world);
  });

  it('tells the token what it can judge: every code but those of PUT KEY with scratch keys, and of their session', async () => {
    const sessions = sessionsOf(file.transcript);
    const judged = await recompute(sessions, tokenOf(world), false);
    const shown = judged.map(({ ok, found }) => [ok, found.replace(/^begun in /, '')]);
    const of = (list: string, set: string) =>
      shown.find(([, found]) => String(found).startsWith(`${list}, ${set}`));
    assert.match(
      String(of('transport-open', 'transport')),
      /6 C-MACs and 6 R-MACs are right; 1 PUT KEY wrapped again and the same$/,
    );
    assert.match(String(of('put-key', 'fleet')), /both cryptograms, \d+ C-MACs and \d+ R-MACs are right/);
    assert.equal(of('prove', 'scratch')?.[0], null);
    assert.match(String(of('finish', 'transport')), /the chip refused it/);
    assert.equal(judged.filter(({ ok }) => ok === true).length, sessions.length - 2);
  });

  it('holds no byte of a PUT KEY, not even as it was encrypted', () => {
    const text = JSON.stringify(file);
    const puts = onWire.filter((command) => command[1] === 0xd8);
    assert.ok(puts.length >= 3);
    for (const command of puts)
      for (let at = 5; at + 8 <= 5 + (command[4] ?? 0) - 8; at++)
        assert.ok(!text.includes(toHex(command.subarray(at, at + 8))));
    assert.equal(text.split('{sha256:').length - 1, puts.length);
  });

  it('is small: what a unit costs the ledger stays below 64 KiB', () => {
    assert.ok(JSON.stringify(file.transcript).length < 65_536);
  });

  it('is refused with anything in it changed', () => {
    const { transcript } = file;
    const [first, ...rest] = transcript.lists;
    const { judged } = transcript;
    assert.ok(first !== undefined);
    const changed: Readonly<Record<string, Partial<TranscriptFile['transcript']>>> = {
      unit: { epoch: 2 },
      lists: { lists: [{ ...first, hash: DIGEST }, ...rest] },
      exchanges: { lists: [{ ...first, actions: [{ kind: 'cold-reset', answer: null }] }, ...rest] },
      'transcript hash': { lists: rest },
      'judged facts': { judged: { ...judged, putKeyChains: [] } },
      steps: { judged: { ...judged, steps: judged.steps.slice(1) } },
      'key pair': { judged: { ...judged, possession: null } },
    };
    for (const [name, change] of Object.entries(changed)) {
      const checks = checkTranscript(
        { ...file, transcript: { ...transcript, ...change } },
        trustOf(world),
        nodeCrypto,
      );
      assert.ok(
        checks.some(({ check, ok }) => check === name && !ok),
        name,
      );
    }
  });

  it('is refused under other keys of gateway and issuer', () => {
    const trust = trustOf(world);
    const stranger = world.parties.ticketAuthority.publicKey;
    const gateways = [{ name: 'other', role: 'gateway' as const, publicKey: stranger }];
    const failed = (changes: Partial<typeof trust>): readonly string[] =>
      checkTranscript(file, { ...trust, ...changes }, nodeCrypto)
        .filter(({ ok }) => !ok)
        .map(({ check }) => check);
    assert.deepEqual(failed({ gateways }), ['signature']);
    assert.deepEqual(failed({ issuers: [{ name: 'line-1', publicKey: stranger }] }), ['issuer']);
    assert.deepEqual(failed({ issuers: [{ ...(trust.issuers[0] ?? assert.fail()), name: 'line-2' }] }), [
      'issuer',
    ]);
  });

  it('does not pass with another key set in the PUT KEY', async () => {
    const text = JSON.stringify(file.transcript).replace(/(84d8008\w+\{sha256:)[0-9a-f]{64}/, `$1${DIGEST}`);
    const judged = await recompute(sessionsOf(JSON.parse(text)), tokenOf(world), false);
    const [first, ...rest] = judged;
    assert.match(first?.found ?? '', /PUT KEY did not carry the fleet’s key set/);
    assert.deepEqual([first?.ok, rest.some(({ ok }) => ok === false)], [false, false]);
  });

  it('does not pass for that of a chip with other keys', async () => {
    const other = { ...file.transcript, eid: '89049032000000000000000000009960' };
    const sessions = await recompute(sessionsOf(other), tokenOf(world), false);
    assert.match(sessions.find(({ ok }) => ok === false)?.found ?? '', /cryptogram is wrong/);
  });
});

describe('the transcript of a unit that was resumed', () => {
  it('shows what was done before, and a fresh signature of the chip', async () => {
    const { commands } = await fateOf();
    const { world } = await fateOf({ name: 'torn-before', at: commands - 1 });
    const [row] = await rowsOf(world);
    assert.ok(row !== undefined && row.epoch > 1);
    const file = parsed(row);
    assert.equal(file.transcript.judged.possession?.kind, 'challenge');
    const step = file.transcript.judged.steps.find((one) => one.step === 'put-key');
    assert.equal(step?.outcome, 'earlier');
    await assertVerified(file, world);
  });

  it('verifies wherever the first dialogue was torn, on a chip with little room too', async () => {
    for (const manner of [
      { name: 'torn-after', at: 12 },
      { name: 'torn-after', at: 20 },
      { name: 'has-little-room' },
    ] as const) {
      const { world } = await fateOf(manner);
      for (const row of await rowsOf(world)) await assertVerified(parsed(row), world);
    }
  });
});

describe('the transcript of a liar', () => {
  for (const name of (Object.keys(liars) as MannerName[]).filter(
    (one) => manners[one].outcome === 'rejected',
  ))
    it(`${name}: says at which step the verdict fell, and verifies`, async () => {
      const { world, rejectedWith } = await fateOf({ name });
      const [row] = await rowsOf(world);
      if (row === undefined) return; // Judged by the station, before any key was used.
      const file = parsed(row);
      assert.equal(file.kind, 'verdict');
      const failed = file.transcript.judged.steps.filter(({ outcome }) => outcome === 'failed');
      assert.deepEqual(
        failed.map(({ how }) => how),
        [rejectedWith],
      );
      assert.ok(failed.every(({ step }) => step in procedureSteps));
      await assertVerified(file, world);
    });
});
