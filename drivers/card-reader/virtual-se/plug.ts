/** Keeps the card in vpcd's reader while it is wanted there: connects again, patiently, after the reader's
 * service has gone. */
import { asFault } from '../../../runtime/core/faults.ts';
import type { VirtualSe } from './card.ts';
import { connectVpcd, type VpcdLink } from './vpcd.ts';

export interface PlugOptions {
  readonly host: string;
  readonly port: number;
  readonly card: () => VirtualSe | null;
  /** Told of each change of the connection. */
  readonly note: (event: Readonly<Record<string, string>>) => void;
}

export interface Plug {
  /** Puts the card in. Resolves after the first try; when that fails, goes on trying in the background. */
  insert(): Promise<void>;
  /** Takes the card out and keeps it out. */
  pull(): Promise<void>;
  connected(): boolean;
}

/** Waits between two tries, doubled each time. */
const RETRY_MS_MIN = 200;
/** A chip that lies in its reader is there as soon as the reader is. */
const RETRY_MS_MAX = 400;

export function createPlug(options: PlugOptions): Plug {
  let link: VpcdLink | null = null;
  let wanted: AbortController | null = null;

  const connect = async (): Promise<boolean> => {
    const mine = wanted;
    try {
      const opened = await connectVpcd(options);
      if (mine === null || mine !== wanted) {
        await opened.close();
        return true;
      }
      link = opened;
    } catch (error) {
      options.note({ event: 'reader-absent', code: asFault(error, 'READER_FAILED').code });
      return false;
    }
    options.note({ event: 'inserted' });
    return true;
  };

  /** Watches one connection after another until the card is pulled. */
  const keep = async (signal: AbortSignal): Promise<void> => {
    let waitMs = RETRY_MS_MIN;
    while (!signal.aborted) {
      if (link !== null) {
        const watched: VpcdLink = link;
        const fault = await watched.closed;
        if (link === watched) link = null;
        waitMs = RETRY_MS_MIN;
        if (fault !== null) options.note({ event: 'reader-lost', code: fault.code });
      } else {
        await pause(waitMs, signal);
        waitMs = Math.min(2 * waitMs, RETRY_MS_MAX);
        if (!signal.aborted) await connect();
      }
    }
  };

  return {
    connected: () => link !== null,
    insert: async () => {
      if (wanted !== null) return;
      wanted = new AbortController();
      await connect();
      void keep(wanted.signal);
    },
    pull: async () => {
      wanted?.abort();
      wanted = null;
      const open = link;
      link = null;
      await open?.close();
    },
  };
}

/** Resolves after the time, or as soon as the signal is given. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done);
  });
}
