/** Streams the journal upward until the backend has acknowledged it. The journal is the only outbox. */
import type { StationConfig } from '../../config/station.ts';
import { asFault } from '../core/faults.ts';
import type { JournalEntry } from '../core/journal/entry.ts';
import { genesisHash } from '../core/journal/entry.ts';
import { unbound } from '../core/messages/exchange.ts';
import { eventsExchange } from '../core/messages/exchanges.ts';
import { deadlines } from '../core/operation/deadlines.ts';
import type { Requester } from '../exchange/requester.ts';
import { type Head, requireInJournal } from './agreement.ts';
import type { StationPorts } from './ports.ts';
import type { Retention } from './retention.ts';

/** Entries of one message, and how long a few wait for company. */
const BATCH_MAX = 64;
const LINGER_MS = 2_000;
const RETRY_MS = 2_000;

export interface Outbox {
  /** Something was appended. `idle`: the unit waits for nobody now, so this is the time to send. */
  wake(idle: boolean): void;
  stop(): void;
}

export function createOutbox(
  config: StationConfig,
  ports: StationPorts,
  {
    requester,
    retention,
    failed,
  }: {
    readonly requester: Requester;
    readonly retention: Retention;
    readonly failed: (error: unknown) => void;
  },
): Outbox {
  let cancel: (() => void) | null = null;
  let flushing = false;
  let stopped = false;
  const schedule = (delayMs: number): void => {
    if (stopped || flushing) return;
    cancel?.();
    cancel = ports.clock.after(delayMs, () => {
      cancel = null;
      flushing = true;
      void flush().then((nextMs) => {
        flushing = false;
        if (nextMs !== null) schedule(nextMs);
      });
    });
  };
  /** Poison of the journal ends the program; anything else is tried again. @returns when to look again */
  const flush = async (): Promise<number | null> => {
    try {
      const entries = await ports.journal.unacknowledged(BATCH_MAX);
      if (entries.length === 0 || stopped) return null;
      const head = await send(config, ports, requester, entries);
      await requireInJournal(ports.journal, head);
      await ports.journal.acknowledge(head.sequence);
      ports.log.write('debug', 'events-acknowledged', { upTo: head.sequence });
      await retention.acknowledged(head.sequence);
      return entries.length === BATCH_MAX ? 0 : LINGER_MS;
    } catch (error) {
      const fault = asFault(error, 'UNEXPECTED');
      if (fault.code === 'JOURNAL_POISONED' || fault.code === 'UNEXPECTED') {
        failed(fault);
        return null;
      }
      ports.log.write('warn', 'fault', { part: 'outbox', code: fault.code, ...fault.context });
      return RETRY_MS;
    }
  };
  return {
    wake: (idle) => {
      if (idle) schedule(0);
      else if (cancel === null) schedule(LINGER_MS);
    },
    stop: () => {
      stopped = true;
    },
  };
}

async function send(
  config: StationConfig,
  ports: StationPorts,
  requester: Requester,
  entries: readonly JournalEntry[],
): Promise<Head> {
  const first = entries[0]?.sequence ?? 0;
  const { body } = await requester.ask(
    eventsExchange,
    { nest: config.nests[0].name, to: 'backend', step: 0, binding: unbound, retry: deadlines.events },
    {
      journal: ports.genesis.journal,
      genesis: { ...ports.genesis },
      previousHash:
        first === 0 ? genesisHash(ports.genesis, ports.crypto.sha256) : await hashBefore(ports, first),
      entries: entries.map(({ sequence, text, hash }) => ({ sequence, text, hash })),
    },
  );
  return body.head;
}

async function hashBefore(ports: StationPorts, sequence: number): Promise<string> {
  for await (const entry of ports.journal.read(sequence - 1)) return entry.hash;
  return '';
}
