/**
 * Whether this station's journal is the one that the backend knows. A directory that was put back as a whole, store and
 * witness together, is in itself without a flaw: only what was told to somebody else shows that its end is missing.
 */
import type { StationConfig } from '../../config/station.ts';
import { asFault, Fault } from '../core/faults.ts';
import { unbound } from '../core/messages/exchange.ts';
import { journalHeadExchange } from '../core/messages/exchanges.ts';
import { deadlines } from '../core/operation/deadlines.ts';
import type { Journal } from '../core/ports.ts';
import type { Requester } from '../exchange/requester.ts';
import type { StationPorts } from './ports.ts';

/** The last entry that the backend holds of a journal. */
export interface Head {
  readonly sequence: number;
  readonly hash: string;
}

/**
 * Resolves once the backend's head was found in the journal, in this run: nothing is done to a unit before.
 * @throws Fault JOURNAL_ROLLED_BACK, JOURNAL_AHEAD; BACKEND_SILENT, BUS_UNREACHABLE: then it is asked again
 */
export interface Agreement {
  (): Promise<void>;
  /** Something else shows that entries are missing: from here on nothing is agreed any more. */
  deny(fault: Fault): void;
}

export function createAgreement(config: StationConfig, ports: StationPorts, requester: Requester): Agreement {
  let asked: Promise<void> | null = null;
  const compare = async (): Promise<void> => {
    const { body } = await requester.ask(
      journalHeadExchange,
      { nest: config.nests[0].name, to: 'backend', step: 0, binding: unbound, retry: deadlines.journalHead },
      { journal: ports.genesis.journal },
    );
    await requireInJournal(ports.journal, body.head);
  };
  const agreement = (): Promise<void> => {
    if (denied !== null) return Promise.reject(denied);
    asked ??= compare().catch((error: unknown) => {
      asked = null;
      throw denied ?? error;
    });
    return asked;
  };
  let denied: Fault | null = null;
  return Object.assign(agreement, {
    deny: (fault: Fault) => {
      denied ??= fault;
    },
  });
}

/**
 * @param head null where the backend holds nothing of this journal
 * @throws Fault JOURNAL_ROLLED_BACK when `head` is no entry of this journal; JOURNAL_AHEAD when the entries after it were
 * given up, which were so only on the backend's word that it has them
 */
export async function requireInJournal(journal: Journal, head: Head | null): Promise<void> {
  const { cut } = journal;
  if (cut !== null && (head?.sequence ?? -1) < cut.sequence)
    throw new Fault('JOURNAL_AHEAD', { backend: head?.sequence ?? null, givenUp: cut.sequence });
  if (head === null || (head.sequence === cut?.sequence && head.hash === cut.hash)) return;
  for await (const { hash } of journal.read(head.sequence)) {
    if (hash === head.hash) return;
    throw new Fault('JOURNAL_ROLLED_BACK', { sequence: head.sequence, why: 'it holds another entry there' });
  }
  throw new Fault('JOURNAL_ROLLED_BACK', { sequence: head.sequence, why: 'it ends before that' });
}

/** Between two tries while the backend does not answer. */
const ASK_AGAIN_MS = 5_000;

/** Asks until there is an answer, so that a journal that was put back is told of before a unit waits for it.
 * @param told hears of JOURNAL_ROLLED_BACK; everything else is tried again */
export function settleAgreement(
  agreement: Agreement,
  { clock }: Pick<StationPorts, 'clock'>,
  told: (fault: Fault) => void,
): void {
  agreement().catch((error: unknown) => {
    const fault = asFault(error, 'UNEXPECTED');
    if (fault.code === 'JOURNAL_ROLLED_BACK') told(fault);
    else clock.after(ASK_AGAIN_MS, () => settleAgreement(agreement, { clock }, told));
  });
}
