import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BLANK_MEMORY } from '../../drivers/jig/controller/gate-controller.ts';
import { readJsonLines, writeJsonLine } from '../../drivers/jig/controller/json-lines.ts';
import { openStateFile } from '../../drivers/jig/controller/state-file.ts';
import { startBoardRig, TAG_KEY, until } from './board-rig.ts';

async function inDirectory(test: (path: (name: string) => string) => void | Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'board-'));
  try {
    await test((name) => join(directory, name));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the memory of the gate controller', () => {
  it('starts blank, and keeps what was saved', () =>
    inDirectory(async (path) => {
      const memory = { boots: 3, obeyed: 9, left: { arrival: 5, counter: 9, lane: 'reject' } } as const;
      assert.deepEqual(openStateFile(path('state')).load(), BLANK_MEMORY);
      await openStateFile(path('state')).save(memory);
      assert.deepEqual(openStateFile(path('state')).load(), memory);
    }));

  it('does not start over when its file is damaged: it would forget what it obeyed', () =>
    inDirectory((path) => {
      writeFileSync(path('state'), '{"boots":1}');
      assert.throws(() => openStateFile(path('state')).load());
    }));
});

describe('the process of the board', () => {
  it('asks for the chip of each unit before the unit is seen', () =>
    inDirectory(async (path) => {
      const asked: object[] = [];
      const chips = createServer((socket) => {
        readJsonLines(socket, (request) => {
          asked.push(request);
          writeJsonLine(socket, { id: 1, ok: true, eid: '89' });
        });
        socket.on('error', () => socket.destroy()); // The board was killed at the end of the test.
      });
      await new Promise<void>((resolve) => chips.listen(path('chips'), resolve));
      const rig = await startBoardRig({ chipSocket: path('chips') });
      try {
        await rig.ask({ verb: 'feed', count: 1, firstIndex: 17 });
        await until(async () => (await rig.gateLog()).some(({ event }) => event === 'ARRIVED'));
        assert.deepEqual(asked, [{ id: 1, verb: 'seat', index: 17 }]);
        assert.equal((await rig.gateLog()).at(-1)?.unit, 17);
      } finally {
        await rig.stop();
        chips.close();
      }
    }));

  it('stops the feeding when the chips have gone', async () => {
    const rig = await startBoardRig({ chipSocket: '/nowhere/chips' });
    try {
      await rig.ask({ verb: 'feed', count: 2, firstIndex: 0 });
      await until(async () => (await rig.gateLog()).some(({ event }) => event === 'SEAT-FAILED'));
      assert.equal((await rig.ask({ verb: 'status' })).waiting, 0);
    } finally {
      await rig.stop();
    }
  });

  it('does not start on a key that others may read, and never says what is in it', () =>
    inDirectory((path) => {
      writeFileSync(path('tag.key'), TAG_KEY, { mode: 0o644 });
      writeFileSync(path('config'), JSON.stringify({ tagKeyFile: path('tag.key') }));
      const main = fileURLToPath(new URL('../../drivers/jig/controller/board-main.js', import.meta.url));
      const { status, stderr } = spawnSync(process.execPath, [main, path('config')], { encoding: 'utf8' });
      assert.notEqual(status, 0);
      assert.match(stderr, /others may read/);
      assert.ok(!stderr.includes(TAG_KEY));
    }));
});
