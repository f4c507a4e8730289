import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { answers, cardReaderContract, faultOf, reset, send } from '../contracts/card-reader.contract.ts';
import { type Bench, openBench } from './bench.ts';
import { TestCommand } from './test-card.ts';

cardReaderContract('over PC/SC', async () => {
  const bench = await openBench(1);
  const [slot] = bench.slots;
  if (slot === undefined) throw new Error('no slot');
  const reader = await bench.open(slot.name);
  return {
    reader,
    insert: () => slot.order('insert'),
    pull: () => slot.order('pull'),
    [Symbol.asyncDispose]: async () => {
      await reader.close();
      await bench[Symbol.asyncDispose]();
    },
  };
});

const { echo } = TestCommand;

describe('the card reader over PC/SC', () => {
  let bench: Bench;
  const names = () => bench.slots.map(({ name }) => name);
  before(async () => {
    bench = await openBench(2);
    for (const slot of bench.slots) await slot.order('insert');
  });
  after(() => bench[Symbol.asyncDispose]());

  it('brings an answer of 65026 bytes', async () => {
    await using reader = await bench.open(names()[0] ?? '');
    const [exchange] = (await reader.play([send(TestCommand.huge)])).exchanges;
    assert.equal(exchange?.answer.length, 65_026);
  });

  it('takes a part of the name when only one reader has it', async () => {
    await using reader = await bench.open('1 00 01');
    assert.deepEqual(answers(await reader.play([send(echo('01'))])), ['019000']);
  });

  it('tells apart: no such reader, several, in use, no pcscd', async () => {
    await using first = await bench.open(names()[0] ?? '');
    assert.equal((await first.play([reset])).outcome, 'played');
    const cases = [
      [await bench.open('elsewhere'), 'READER_ABSENT'],
      [await bench.open('Holdfast'), 'READER_ABSENT'],
      [await bench.open(names()[0] ?? ''), 'READER_IN_USE'],
      [await bench.open(names()[0] ?? '', { socket: '/nonexistent/pcscd.comm' }), 'READER_SERVICE_DOWN'],
    ] as const;
    for (const [reader, code] of cases) {
      const outcome = await reader.play([reset, send(echo('01'))]);
      assert.deepEqual([outcome.outcome, faultOf(outcome)], ['unsent', code]);
      await reader.close();
    }
    assert.deepEqual(answers(await first.play([send(echo('02'))])), ['029000']);
  });

  it('keeps two readers apart: a silent card in one does not hold up the other', async () => {
    await using a = await bench.open(names()[0] ?? '');
    await using b = await bench.open(names()[1] ?? '');
    const silent = a.play([send(TestCommand.silence, 1_500)]);
    await b.play([reset]);
    let done = 0;
    void silent.then(() => done++);
    for (let i = 0; i < 20; i++) assert.deepEqual(answers(await b.play([send(echo('07'))])), ['079000']);
    assert.equal(done, 0, 'the other reader still waits');
    assert.equal(faultOf(await silent), 'CARD_OUTCOME_UNKNOWN');
    assert.equal(faultOf(await a.play([reset])), 'READER_IN_USE', 'until the card lets go of the driver');
    await bench.slots[0]?.order('insert');
    assert.equal((await a.play([reset])).outcome, 'played');
  });

  it('does not notice a card that was exchanged within a poll: the identity is read anew', async () => {
    await using reader = await bench.open(names()[0] ?? '');
    const serial = async () => answers(await reader.play([send(TestCommand.count)]))[0]?.slice(0, 2);
    const before = await serial();
    await bench.slots[0]?.swap();
    assert.notEqual(await serial(), before);
  });

  it('finds at a cold reset the card that has come meanwhile', async () => {
    await using reader = await bench.open(names()[0] ?? '');
    await reader.play([reset]);
    await bench.slots[0]?.order('insert');
    assert.deepEqual(answers(await reader.play([reset, send(echo('08'))])).slice(1), ['089000']);
  });

  it('goes on with a new process when its own is killed, and sends nothing that belonged to the lost session', async () => {
    await using reader = await bench.open(names()[0] ?? '');
    await reader.play([reset]);
    const [idle] = childrenOf(process.pid, 'reader-child');
    assert.ok(idle !== undefined);
    process.kill(idle, 'SIGKILL');
    await sleep(50);
    const continued = await reader.play([send(echo('09'))]);
    assert.deepEqual([continued.outcome, faultOf(continued)], ['unsent', 'READER_FAILED']);
    assert.deepEqual(answers(await reader.play([reset, send(echo('09'))])).slice(1), ['099000']);
    const silent = reader.play([send(TestCommand.silence, 4_000)]);
    await sleep(100);
    for (const pid of childrenOf(process.pid, 'reader-child')) process.kill(pid, 'SIGKILL');
    const outcome = await silent;
    assert.deepEqual([outcome.outcome, faultOf(outcome)], ['unknown', 'CARD_OUTCOME_UNKNOWN']);
    await bench.slots[0]?.order('insert');
  });

  it('leaves no process behind when the station is killed, though the card is silent', async () => {
    const station = fileURLToPath(new URL('./station-child.js', import.meta.url));
    const argv = [station, names()[0] ?? '', bench.stand.socket];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const [orphan] = childrenOf(child.pid ?? 0, 'reader-child');
    assert.ok(orphan !== undefined);
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let i = 0; i < 100 && lives(orphan); i++) await sleep(20);
    assert.equal(lives(orphan), false);
    await bench.slots[0]?.order('insert');
  });

  it('says unknown when pcscd dies in mid-command, service down while it is away, and comes back', async () => {
    await using reader = await bench.open(names()[1] ?? '');
    await reader.play([reset]);
    const silent = reader.play([send(TestCommand.silence, 10_000)]);
    await sleep(100);
    await bench.crash();
    const outcome = await silent;
    assert.deepEqual([outcome.outcome, faultOf(outcome)], ['unknown', 'CARD_OUTCOME_UNKNOWN']);
    const away = await reader.play([reset]);
    assert.deepEqual([away.outcome, faultOf(away)], ['unsent', 'READER_SERVICE_DOWN']);
    await bench.start();
    for (const slot of bench.slots) await slot.order('insert');
    assert.equal((await reader.play([reset, send(echo('0a'))])).outcome, 'played');
  });

  it('says unsent when pcscd hangs before a card is connected, and unknown after', async () => {
    await using fresh = await bench.open(names()[0] ?? '');
    await using connected = await bench.open(names()[1] ?? '');
    await connected.play([reset]);
    process.kill(bench.stand.pid, 'SIGSTOP');
    const [unsent, unknown] = await Promise.all([
      fresh.play([reset]),
      connected.play([send(echo('0b'), 300)]),
    ]);
    process.kill(bench.stand.pid, 'SIGCONT');
    assert.equal(unsent.outcome, 'unsent');
    assert.deepEqual([unknown.outcome, faultOf(unknown)], ['unknown', 'CARD_OUTCOME_UNKNOWN']);
    assert.equal((await fresh.play([reset])).outcome, 'played');
  });
});

/** Processes with this parent and this word in their command line. */
function childrenOf(parent: number, word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const status = contentOf(join('/proc', pid, 'status'));
      return status.includes(`PPid:\t${parent}\n`) && contentOf(join('/proc', pid, 'cmdline')).includes(word);
    })
    .map(Number);
}

function lives(pid: number): boolean {
  return /^State:\t[^Z]/m.test(contentOf(`/proc/${pid}/status`));
}

/** Empty for a process that has ended meanwhile. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
