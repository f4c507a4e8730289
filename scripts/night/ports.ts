/** Each port for one life of a program, with what it says when a call fails there. */
import { unavailable } from '../../drivers/store/transaction-outcome.ts';
import { Fault } from '../../runtime/core/faults.ts';
import type { Bus, CardReader, Clock, Jig, Journal, PlayOutcome, Signer } from '../../runtime/core/ports.ts';
import type { FleetStore } from '../../runtime/core/store/fleet.ts';
import type { HeadMemory } from '../../runtime/core/store/head.ts';
import type { GatewayLedger } from '../../runtime/core/store/ledger.ts';
import type { MarkMemory } from '../../runtime/core/store/mark.ts';
import type { Token } from '../../runtime/core/token.ts';
import type { Failure, Life } from './life.ts';

const always =
  (fault: () => Fault): Failure =>
  () => ({ throws: fault() });

const hsmFailed = always(() => new Fault('HSM_FAILED', { reason: 'simulated' }));

export function busOf(life: Life, bus: Bus): Bus {
  const failure = always(() => new Fault('BUS_UNREACHABLE', { reason: 'simulated' }));
  // A subscription that fails ends the connecting, and with it the program: the same as a kill there.
  return life.guard(bus, { port: 'bus', atOnce: ['onLink', 'subscribe'], failure });
}

/** @param skewMs how far this program's wall clock is wrong */
export function clockOf(life: Life, clock: Clock, skewMs: () => number): Clock {
  const skewed: Clock = {
    now: () => clock.now() + skewMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, action) => clock.after(delayMs, action),
  };
  return life.guard(skewed, { port: 'clock', atOnce: ['now', 'monotonicMs', 'after'], failure: hsmFailed });
}

export function signerOf(life: Life, signer: Signer): Signer {
  return life.guard(signer, { port: 'signer', failure: hsmFailed });
}

/** After a failure every later call fails too, as the port promises. */
export function journalOf(life: Life, journal: Journal): Journal {
  let poison: Fault | null = null;
  const failure: Failure = () => {
    poison = new Fault('JOURNAL_POISONED', { store: 'EIO' });
    return { throws: poison };
  };
  const poisoned: Journal = {
    journalId: journal.journalId,
    get cut() {
      return journal.cut;
    },
    giveUp: (sequence) => (poison === null ? journal.giveUp(sequence) : Promise.reject(poison)),
    append: (entries) => (poison === null ? journal.append(entries) : Promise.reject(poison)),
    acknowledge: (sequence) => (poison === null ? journal.acknowledge(sequence) : Promise.reject(poison)),
    unacknowledged: (limit) => (poison === null ? journal.unacknowledged(limit) : Promise.reject(poison)),
    read: (from) => journal.read(from),
    requireRoom: () => journal.requireRoom(),
  };
  return life.guard(poisoned, { port: 'journal', atOnce: ['read'], failure });
}

export function readerOf(life: Life, reader: CardReader): CardReader {
  const fault = (): Fault => new Fault('READER_FAILED', { reason: 'simulated' });
  const failure: Failure = (phase, result) => {
    if (phase === 'before') return { gives: { outcome: 'unsent', exchanges: [], fault: fault() } };
    const { exchanges } = result as PlayOutcome;
    return { gives: { outcome: 'unknown', exchanges: exchanges.slice(0, -1), fault: fault() } };
  };
  return life.guard(reader, { port: 'reader', failure });
}

export function jigOf(life: Life, jig: Jig): Jig {
  const failure = always(() => new Fault('JIG_LINK_LOST', { reason: 'simulated' }));
  return life.guard(jig, { port: 'jig', atOnce: ['onEvent'], failure });
}

export function tokenOf(life: Life, token: Token): Token {
  return life.guard(token, { port: 'token', failure: hsmFailed });
}

export function ledgerOf(life: Life, ledger: GatewayLedger & { abandon(): void }): GatewayLedger {
  life.onEnd(() => ledger.abandon());
  const failure: Failure = (phase) => ({
    throws: unavailable('LEDGER_UNAVAILABLE', phase === 'before' ? 'absent' : 'unknown'),
  });
  return life.guard<GatewayLedger>(ledger, { port: 'ledger', failure });
}

export function storeOf(life: Life, store: FleetStore & { abandon(): void }): FleetStore {
  life.onEnd(() => store.abandon());
  const failure: Failure = (phase) => ({
    throws: unavailable('STORE_UNAVAILABLE', phase === 'before' ? 'absent' : 'unknown'),
  });
  const inside: FleetStore = {
    transaction: (work) => store.transaction((tx) => work(life.guard(tx, { port: 'tx', failure }))),
    close: () => store.close(),
  };
  return life.guard(inside, { port: 'store', failure });
}

export function marksOf(life: Life, marks: MarkMemory): MarkMemory {
  const failure = always(() => new Fault('FILE_UNREADABLE', { reason: 'simulated' }));
  return life.guard(marks, { port: 'marks', failure });
}

export function headsOf(life: Life, heads: HeadMemory): HeadMemory {
  const failure = always(() => new Fault('FILE_UNREADABLE', { reason: 'simulated' }));
  return life.guard(heads, { port: 'heads', failure });
}
