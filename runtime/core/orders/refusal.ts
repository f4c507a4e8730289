/**
 * Refusals as events: which faults are refusals of somebody who asked for what is not allowed, and how many of them
 * are written down one by one. Whoever is refused on purpose must not fill the log: past a bound they are counted.
 */
import { fromText, toHex } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { FaultCode } from '../faults.ts';
import { hashOf, payloadOf } from '../messages/envelope.ts';
import { ticketStatement } from '../messages/ticket.ts';
import type { Crypto } from '../ports.ts';

/** Not among them: what appearances of a unit are refused with, as those are events of their own; and what is a
 * failure of ours. */
const refusals: ReadonlySet<FaultCode> = new Set([
  'TICKET_INVALID',
  'TICKET_CLOSED',
  'TICKET_EID_REFUSED',
  'APPROVALS_MISSING',
  'APPROVAL_REFUSED',
  'QUOTA_EXHAUSTED',
  'RATE_EXCEEDED',
  'NEST_OCCUPIED',
  'STATION_REVOKED',
  'REPORT_INVALID',
  'RESERVATION_STALE',
  'CARD_CHANGED',
  'ATTEMPTS_EXHAUSTED',
  'ENVELOPE_INVALID',
  'TRANSPORT_KEYS_KNOWN',
] as const);

export function isRefusal(code: FaultCode): boolean {
  return refusals.has(code);
}

/** What was refused. */
export interface Refusal {
  readonly code: FaultCode;
  readonly station: string;
  readonly nest: string;
  /** As the ticket says, where one was good enough to be read; null otherwise. */
  readonly ticket: string | null;
  /** SHA-256 of the ticket that was shown, hexadecimal. */
  readonly ticketHash: string;
  readonly eid: string;
  /** What it was asked for: the arrival at its gate controller, or the operation and its epoch. */
  readonly subject: string;
}

/** @param asked who asked for which nest, and showed which ticket (compact JWS) for which unit */
export function refusalOf(
  code: FaultCode,
  asked: { readonly station: string; readonly nest: string; readonly ticket: string; readonly eid: string },
  subject: string,
  crypto: Crypto,
): Refusal {
  const { station, nest, ticket, eid } = asked;
  return {
    code,
    station,
    nest,
    // Of a ticket that is not good it is a claim; its hash says which claim.
    ticket: payloadOf(ticketStatement, ticket)?.ticket ?? null,
    ticketHash: hashOf(ticket, crypto),
    eid,
    subject,
  };
}

/** Names a refusal: whoever asks for the same again is refused the same again, and that is one event. */
export function refusalKey(refusal: Refusal, crypto: Pick<Crypto, 'sha256'>): string {
  const hash = toHex(crypto.sha256(fromText(canonicalJson(refusal))));
  return `refusal/${refusal.station}/${hash.slice(0, 32)}`;
}

/** SHA-256 over refusals in their order, hexadecimal: whoever logs it has logged each of them, however many.
 * @param before over those in front of these; empty for none */
export function refusalsHash(
  before: string,
  rows: readonly { readonly key: string; readonly entry: string; readonly at: string }[],
  { sha256 }: Pick<Crypto, 'sha256'>,
): string {
  return rows.reduce(
    (hash, { key, entry, at }) => toHex(sha256(fromText(canonicalJson({ hash, key, entry, at })))),
    before,
  );
}

/** Refusals of one station that are written down one by one, each minute. */
export const REFUSALS_PER_MINUTE = 20;
const MINUTE_MS = 60_000;
/** Refusals that are remembered as written. */
const KNOWN_MAX = 4096;

/** Refusals that were too many for one minute. */
export interface CountedRefusals {
  readonly station: string;
  /** Milliseconds since 1970: when that minute began. */
  readonly minuteMs: number;
  readonly codes: Readonly<Record<string, number>>;
}

interface Minute {
  readonly startMs: number;
  written: number;
  readonly counted: Map<FaultCode, number>;
}

/** A program's bound on refusals; what it counts is lost with the program, what it lets through is not. */
export class RefusalBudget {
  readonly #known = new Set<string>();
  readonly #minutes = new Map<string, Minute>();

  /** What to do with a refusal: nothing, as it is known; write it down; or nothing yet, as it was counted. */
  spend({ station, code }: Refusal, key: string, nowMs: number): 'known' | 'write' | 'counted' {
    if (this.#known.has(key)) return 'known';
    const minute = this.#minuteOf(station, nowMs);
    if (minute.written >= REFUSALS_PER_MINUTE) {
      minute.counted.set(code, (minute.counted.get(code) ?? 0) + 1);
      return 'counted';
    }
    minute.written += 1;
    this.#known.add(key);
    const [oldest] = this.#known;
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
    return 'write';
  }

  /** It could not be written: the next one is not known. */
  forget(key: string): void {
    this.#known.delete(key);
  }

  /** What was counted in minutes that are over, once. */
  over(nowMs: number): readonly CountedRefusals[] {
    const over: CountedRefusals[] = [];
    for (const [station, { startMs, counted }] of this.#minutes) {
      if (startMs + MINUTE_MS > nowMs || counted.size === 0) continue;
      over.push({ station, minuteMs: startMs, codes: Object.fromEntries(counted) });
      counted.clear();
    }
    return over;
  }

  #minuteOf(station: string, nowMs: number): Minute {
    const known = this.#minutes.get(station);
    if (known !== undefined && (nowMs < known.startMs + MINUTE_MS || known.counted.size > 0)) return known;
    const minute: Minute = { startMs: nowMs, written: 0, counted: new Map() };
    this.#minutes.set(station, minute);
    return minute;
  }
}
