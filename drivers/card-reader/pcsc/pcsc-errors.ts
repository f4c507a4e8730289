/**
 * What pcscd answers, by the words of `smartcard`, whose errors carry nothing else. The only place that knows them.
 *
 * @see PC/SC part 5, and pcsc-lite's pcsclite.h for the numbers
 */
import { Fault, type FaultCode } from '../../../runtime/core/faults.ts';

interface Meaning {
  /** SCARD_E_..., SCARD_W_...; null for the binding's own errors. */
  readonly code: number | null;
  /** While connecting or resetting. Of a command only one thing is known: its outcome is not. */
  readonly fault: FaultCode;
  /** The process that got it starts anew: its context is dead, or nobody knows what it is worth. */
  readonly ends: boolean;
}

// biome-ignore format: this is a table
const meanings: Readonly<Record<string, Meaning>> = {
  'PC/SC service not running': { code: 0x8010001d, fault: 'READER_SERVICE_DOWN', ends: true },
  'PC/SC service stopped':     { code: 0x8010001e, fault: 'READER_SERVICE_DOWN', ends: true },
  'Communication error':       { code: 0x80100013, fault: 'READER_SERVICE_DOWN', ends: true },
  'Context is not valid':      { code: null,       fault: 'READER_SERVICE_DOWN', ends: true },
  'Invalid handle':            { code: 0x80100003, fault: 'READER_FAILED',       ends: true },
  'Internal error':            { code: 0x80100001, fault: 'READER_FAILED',       ends: true },
  'Card is not connected':     { code: null,       fault: 'READER_FAILED',       ends: true },
  'No readers available':      { code: 0x8010002e, fault: 'READER_ABSENT',       ends: false },
  'Unknown reader':            { code: 0x80100009, fault: 'READER_ABSENT',       ends: false },
  'Reader unavailable':        { code: 0x80100017, fault: 'READER_ABSENT',       ends: false },
  'Sharing violation':         { code: 0x8010000b, fault: 'READER_IN_USE',       ends: false },
  'No smart card present':     { code: 0x8010000c, fault: 'CARD_ABSENT',         ends: false },
  'Card was removed':          { code: 0x80100069, fault: 'CARD_ABSENT',         ends: false },
  'Card is unresponsive':      { code: 0x80100066, fault: 'CARD_ABSENT',         ends: false },
  'Card is unpowered':         { code: 0x80100067, fault: 'CARD_ABSENT',         ends: false },
  'Card was reset':            { code: 0x80100068, fault: 'READER_FAILED',       ends: false },
  'Transaction failed':        { code: 0x80100016, fault: 'READER_FAILED',       ends: false },
  'Protocol mismatch':         { code: 0x8010000f, fault: 'READER_FAILED',       ends: false },
  'Reader not ready':          { code: 0x80100010, fault: 'READER_FAILED',       ends: false },
  'Insufficient buffer':       { code: 0x80100008, fault: 'READER_FAILED',       ends: false },
  'Operation timed out':       { code: 0x8010000a, fault: 'READER_FAILED',       ends: true },
};

/** polkit's refusal, 0x8010006A, has this text too. */
const unknown: Meaning = { code: null, fault: 'READER_FAILED', ends: true };

/** Why a reader could not be connected or reset. */
export function connectFault(error: unknown, context: Readonly<Record<string, string>>): Fault {
  return new Fault(meaningOf(error).fault, { ...context, ...wordsOf(error) }, { cause: error });
}

/** Why a command has no answer: it may have been carried out. */
export function commandFault(error: unknown): Fault {
  return new Fault('CARD_OUTCOME_UNKNOWN', wordsOf(error), { cause: error });
}

/** Whether the process that got this error is worth nothing any more. */
export function endsProcess(error: unknown): boolean {
  return meaningOf(error).ends;
}

function meaningOf(error: unknown): Meaning {
  return meanings[textOf(error)] ?? unknown;
}

function wordsOf(error: unknown): { readonly pcsc: string; readonly pcscCode: string | null } {
  const { code } = meaningOf(error);
  return { pcsc: textOf(error), pcscCode: code === null ? null : `0x${code.toString(16)}` };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
