/** The station's handle on the process of one reader: started, asked, and ended. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CardAction } from '../../../runtime/core/ports.ts';
import type { ReaderMessage, ReaderSettings } from './protocol.ts';

export type Played = Extract<ReaderMessage, { kind: 'played' }>;

/** A list's answer, or how far the process had come when it was lost. */
export type ListEnd =
  | { readonly kind: 'answered'; readonly played: Played }
  | { readonly kind: 'lost'; readonly connected: boolean; readonly reason: string };

export interface ReaderProcess {
  readonly alive: boolean;
  /** Ends at the latest after `deadlineMs`, or `connectDeadlineMs` where no card is connected by then. */
  play(
    actions: readonly CardAction[],
    deadlines: { readonly deadlineMs: number; readonly connectDeadlineMs: number },
  ): Promise<ListEnd>;
  /** Resolves when the process is gone. */
  kill(): Promise<void>;
}

const CHILD = fileURLToPath(new URL('./reader-child.js', import.meta.url));
/** One transmit, one wait and two to spare; the pool is sized when it is first used. */
const THREADS = '4';
/** The process holds a binding and short lists. */
const MEMORY_OPTIONS = ['--max-old-space-size=32', '--max-semi-space-size=1'];

export function startReaderProcess(settings: ReaderSettings, socket: string | undefined): ReaderProcess {
  const child: ChildProcess = fork(CHILD, [JSON.stringify(settings)], {
    serialization: 'advanced',
    execArgv: ['--enable-source-maps', ...MEMORY_OPTIONS],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      UV_THREADPOOL_SIZE: THREADS,
      ...(socket === undefined ? {} : { PCSCLITE_CSOCK_NAME: socket }),
    },
  });
  let alive = true;
  let connected = false;
  let reason = 'ended';
  let settle: (end: ListEnd) => void = () => undefined;
  child.on('message', (message: ReaderMessage) => {
    if (message.kind === 'connected') connected = true;
    else settle({ kind: 'answered', played: message });
  });
  // Its channel first: what it had sent before it ended has then been read, "connected" above all.
  const gone = ended(child).then((how) => {
    alive = false;
    settle({ kind: 'lost', connected, reason: how ?? reason });
  });
  const end = (why: string): void => {
    reason = why;
    child.kill('SIGKILL');
  };
  return {
    get alive() {
      return alive;
    },
    play: (actions, { deadlineMs, connectDeadlineMs }) =>
      new Promise((resolve) => {
        const timers = [
          setTimeout(() => end('did not answer in time'), deadlineMs),
          setTimeout(() => (connected ? undefined : end('did not connect in time')), connectDeadlineMs),
        ];
        settle = (listEnd) => {
          for (const timer of timers) clearTimeout(timer);
          settle = () => undefined;
          resolve(listEnd);
        };
        if (!alive) settle({ kind: 'lost', connected: false, reason });
        else child.send({ actions }, (error) => (error ? end(error.message) : undefined));
      }),
    kill: () => {
      child.kill('SIGKILL');
      return gone;
    },
  };
}

/** Resolves when the process is gone and all it sent has been read: why it could not start, else null. */
async function ended(child: ChildProcess): Promise<string | null> {
  const failed = new Promise<string>((resolve) => child.once('error', (error) => resolve(error.message)));
  const over = Promise.all([
    new Promise((resolve) => child.once('exit', resolve)),
    new Promise((resolve) => child.once('disconnect', resolve)),
  ]);
  return Promise.race([failed, over.then(() => null)]);
}
