/** A stand with readers and cards, for tests of the PC/SC driver. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openPcscReader } from '../../drivers/card-reader/pcsc/pcsc.ts';
import type { CardReader } from '../../runtime/core/ports.ts';
import { type PcscdStand, startPcscd } from '../../scripts/stand/pcscd.ts';

const CARD = fileURLToPath(new URL('./vpcd-card.js', import.meta.url));
/** The presence poll of vpcd comes every 400 ms. */
const POLL_MS = 450;

export interface Slot {
  readonly name: string;
  /** Waits until the reader has seen it. */
  order(what: 'insert' | 'pull'): Promise<void>;
  /** Another card within one poll: the reader does not see it. */
  swap(): Promise<void>;
}

export interface Bench extends AsyncDisposable {
  stand: PcscdStand;
  readonly slots: readonly Slot[];
  /** pcscd is killed; `start` brings a new one with the cards in it. */
  crash(): Promise<void>;
  start(): Promise<void>;
  open(readerName: string, options?: { readonly socket?: string }): Promise<CardReader & AsyncDisposable>;
}

export async function openBench(readers: number): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'reader-'));
  const cards: ChildProcess[] = [];
  const start = async (): Promise<PcscdStand> => {
    const stand = await startPcscd({ directory, readers });
    for (const port of stand.vpcdPorts) {
      const [command = '', ...rest] = stand.enter([process.execPath, CARD, String(port)]);
      const card = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      await once(card, 'message');
      cards.push(card);
    }
    return stand;
  };
  const endCards = async (): Promise<void> => {
    for (const card of cards.splice(0)) {
      card.disconnect();
      await once(card, 'exit');
    }
  };
  const bench: Bench = {
    stand: await start(),
    slots: Array.from({ length: readers }, (_, i) => {
      const tell = async (what: string): Promise<void> => {
        const card = cards[i];
        if (card === undefined) throw new Error(`no card ${i}`);
        card.send(what);
        await once(card, 'message');
      };
      return {
        get name() {
          return bench.stand.readerNames[i] ?? '';
        },
        swap: () => tell('swap'),
        order: async (what) => {
          await tell('pull');
          await sleep(POLL_MS);
          if (what === 'pull') return;
          await tell('insert');
          await sleep(POLL_MS);
        },
      };
    }),
    crash: async () => {
      await bench.stand.crash();
      await endCards();
    },
    start: async () => {
      bench.stand = await start();
    },
    open: (readerName, { socket = bench.stand.socket } = {}) =>
      openPcscReader({ readerName, socket, defaultDeadlineMs: 3_000, connectDeadlineMs: 5_000 }),
    [Symbol.asyncDispose]: async () => {
      await endCards();
      await bench.stand.stop();
      rmSync(directory, { recursive: true });
    },
  };
  return bench;
}
