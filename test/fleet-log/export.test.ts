import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { verifierKey } from '../../runtime/core/log/note.ts';
import { bundleOf, entriesIn } from '../../runtime/core/log/tile.ts';
import { inProcess } from '../cli/support.ts';
import { logKeys } from '../core/log-samples.ts';
import { type GrownLog, grownLog, meansOf } from './grown-log.ts';

const top = mkdtempSync(join(tmpdir(), 'holdfast-export-'));
after(() => rmSync(top, { recursive: true }));
const LEAVES = 600;
const key = verifierKey(logKeys.key, nodeCrypto);
let log: GrownLog;
const at = (name: string): string => join(top, name);

function exportTo(directory: string, from: GrownLog = log) {
  return inProcess(['audit', 'export', '--to', directory], meansOf(from.store));
}

function verify(directory: string, ...known: readonly string[]) {
  const args = known.flatMap((one) => ['--known', one]);
  return inProcess(['audit', 'verify', '--export', directory, '--log-key', key, ...args], {
    ceremony: meansOf(log.store).ceremony ?? assert.fail(),
  });
}

/** A copy of the whole export, in which something is changed. */
function changed(name: string, file: string, change: (bytes: Buffer) => Uint8Array): string {
  cpSync(at('whole'), at(name), { recursive: true });
  const path = join(at(name), file);
  writeFileSync(path, change(readFileSync(path)));
  return at(name);
}

const entriesOf = (bytes: Buffer): Uint8Array[] => [...(entriesIn(bytes) ?? assert.fail())];

before(async () => {
  log = await grownLog(LEAVES);
  const { code, err } = await exportTo(at('whole'));
  assert.equal(code, 0, err);
});

describe('an export of the fleet log', () => {
  it('is verified with the log’s public key alone, and without a database', async () => {
    const { code, out, err } = await verify(at('whole'));
    assert.equal(code, 0, err);
    assert.match(out, /600 of 600: 600 station-event/);
    assert.match(out, /VERIFIED\n$/);
    for (const file of ['tile/0/000', 'tile/0/002.p/88', 'tile/1/000.p/2', 'tile/entries/001', 'checkpoint'])
      assert.ok(existsSync(join(at('whole'), file)), file);
  });

  it('names the leaf whose entry was changed', async () => {
    const directory = changed('changed', 'tile/entries/001', (bytes) => {
      const entries = entriesOf(bytes);
      entries[44] = Buffer.from(
        Buffer.from(entries[44] ?? [])
          .toString()
          .replace('well', 'ill!'),
      );
      return bundleOf(entries);
    });
    const { code, out, err } = await verify(directory);
    assert.equal(code, 1);
    assert.match(out, /NOT VERIFIED: leaf 300 \(event\/j\/300\): its entry is not the one that was logged/);
    assert.match(err, /\(LOG_EXPORT_INVALID\)/);
  });

  it('names the leaf that was dropped, from the middle and from the end', async () => {
    const middle = changed('dropped', 'tile/entries/000', (bytes) =>
      bundleOf(entriesOf(bytes).filter((_, i) => i !== 17)),
    );
    assert.match((await verify(middle)).out, /NOT VERIFIED: leaf 17: it was dropped/);
    const end = changed('cut', 'tile/entries/002.p/88', (bytes) => bundleOf(entriesOf(bytes).slice(0, -1)));
    assert.match((await verify(end)).out, /NOT VERIFIED: leaf 599: it was dropped/);
  });

  it('names a tile that does not follow from those below it, with the leaves it is over', async () => {
    const directory = changed('tile', 'tile/1/000.p/2', (bytes) => {
      bytes[40] = (bytes[40] ?? 0) ^ 1;
      return bytes;
    });
    const { out } = await verify(directory);
    assert.match(out, /NOT VERIFIED: tile\/1\/000\.p\/2: its hash over leaves 256 to 511 is not theirs/);
  });

  it('names what is missing', async () => {
    const directory = changed('missing', 'checkpoint', (bytes) => bytes);
    rmSync(join(directory, 'tile/entries/001'));
    assert.match((await verify(directory)).out, /NOT VERIFIED: leaves 256 to 511: their bundle is missing/);
  });

  it('is not believed when its checkpoint is signed by another key', async () => {
    const directory = changed('unsigned', 'checkpoint', (bytes) =>
      Buffer.from(bytes.toString().replace(/\n600\n/, '\n599\n')),
    );
    assert.match((await verify(directory)).out, /NOT VERIFIED: checkpoint: it is not signed by the log key/);
    const noText = changed('no-text', 'checkpoint', () => Buffer.of(0xff, 0xfe));
    assert.match((await verify(noText)).out, /NOT VERIFIED: checkpoint/);
  });

  it('contains what was kept before; a rollback is named by the first leaf that is gone', async () => {
    const younger = await grownLog(0);
    await younger.grow(0, 500);
    assert.equal((await exportTo(at('younger'), younger)).code, 0);
    assert.equal((await verify(at('whole'), at('younger'), join(at('younger'), 'checkpoint'))).code, 0);
    const { out, err } = await verify(at('younger'), at('whole'));
    assert.match(
      out,
      /NOT VERIFIED: leaf 500: the log was rolled back: .*whole has a signed checkpoint of 600/,
    );
    assert.match(err, /\(LOG_ROLLED_BACK\)/);
  });

  it('names the first leaf of a fork, by an earlier export or by a checkpoint of its own', async () => {
    const fork = await grownLog(0);
    await fork.grow(0, 333);
    await fork.grow(333, 340, 'otherwise');
    assert.equal((await exportTo(at('fork'), fork)).code, 0);
    const { out, err } = await verify(at('whole'), at('fork'));
    assert.match(out, /NOT VERIFIED: leaf 333: the log was forked: .*fork has a signed checkpoint/);
    assert.match(err, /\(LOG_FORKED\)/);
    const note = await verify(at('whole'), join(at('fork'), 'checkpoint'));
    assert.match(note.out, /NOT VERIFIED: leaves 0 to 339: the log was forked/);
  });

  it('is continued where the log has grown, and never written over by a log without it', async () => {
    const growing = await grownLog(300);
    assert.equal((await exportTo(at('growing'), growing)).code, 0);
    const early = readFileSync(at('growing/tile/0/000'));
    writeFileSync(at('growing/tile/0/000'), early);
    await growing.grow(300, 530);
    const { out } = await exportTo(at('growing'), growing);
    // Tile and bundle of leaves 256 on, those at the edge, the tile above, and the checkpoint.
    assert.match(out, /530 leaves in .*, 6 files written/);
    assert.equal((await verify(at('growing'))).code, 0);
    const fork = await grownLog(560, 'otherwise');
    assert.match((await exportTo(at('growing'), fork)).err, /\(LOG_FORKED\)/);
    assert.match((await exportTo(at('growing'), await grownLog(10))).err, /\(LOG_ROLLED_BACK\)/);
    assert.equal((await verify(at('growing'))).code, 0);
  });
});
