/**
 * The transcript of a dialogue: station and gateway each keep the same form of every APDU list they issued or
 * played, and fold it into a running hash that the receipts carry, so that both speak of the same exchange with
 * the same chip. The hash is over the kept form, so whoever has that form can make it again.
 */
import { type Bytes, fromBase64, fromText, toHex } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { BLOCK_BYTES } from '../crypto/cmac.ts';
import type { ApduList } from '../messages/exchanges.ts';
import type { Crypto } from '../ports.ts';
import type { Exchange } from './apdu.ts';
import type { JudgedFacts, KeptAction, KeptList, Transcript } from './transcript-form.ts';

/** PUT KEY. GPCS 2.3.1 section 11.8. */
const PUT_KEY = 0xd8;
/** Class, instruction, two parameters, Lc. */
const HEADER_BYTES = 5;
/** Bit of the class that says: secure messaging, so that the data end in a C-MAC. GPCS 2.3.1 section 11.1.4. */
const SECURE_MESSAGING = 0x04;

export function isPutKey(command: Bytes): boolean {
  return command[1] === PUT_KEY;
}

/**
 * The text of a command in the kept form: hexadecimal, and of PUT KEY only header, SHA-256 of the data, C-MAC, Le.
 * @example `84d8008158{sha256:ab…}0011223344556677` and `00`
 */
export function keptCommand(command: Bytes, crypto: Crypto): string {
  if (!isPutKey(command) || command.length <= HEADER_BYTES) return toHex(command);
  const [cla = 0, , , , lc = 0] = command;
  const end = Math.min(command.length, HEADER_BYTES + lc);
  const dataEnd = (cla & SECURE_MESSAGING) === 0 ? end : end - macBytesIn(end - HEADER_BYTES);
  const digest = crypto.sha256(command.subarray(HEADER_BYTES, dataEnd));
  return `${toHex(command.subarray(0, HEADER_BYTES))}{sha256:${toHex(digest)}}${toHex(command.subarray(dataEnd))}`;
}

/** Encrypted data are whole blocks, so what is over is half a block of C-MAC in S8 mode, and nothing in S16. */
function macBytesIn(size: number): number {
  const whole = size % BLOCK_BYTES === 0 ? BLOCK_BYTES : BLOCK_BYTES / 2;
  return size > whole ? whole : 0;
}

/** SHA-256, hexadecimal, of an APDU list, in which the data of PUT KEY count by their hash. */
export function listHashOf(list: ApduList, crypto: Crypto): string {
  return keepList(list, [], crypto).hash;
}

/** A list as it is kept once it was played; what was not played has no answer. */
export function keepList(list: ApduList, exchanges: readonly Exchange[], crypto: Crypto): KeptList {
  const { name, changes } = list;
  const actions = list.actions.map((action, i): KeptAction => {
    const exchange = exchanges[i];
    if (action.kind === 'cold-reset')
      return { kind: 'cold-reset', answer: exchange?.kind === 'cold-reset' ? toHex(exchange.answer) : null };
    const command = keptCommand(fromBase64(action.command), crypto);
    const wire = (exchange?.wire ?? []).map((frame) => {
      const sent = keptCommand(frame.command, crypto);
      return { command: sent === command ? null : sent, answer: toHex(frame.answer) };
    });
    return { kind: 'command', command, deadlineMs: action.deadlineMs, wire };
  });
  return { name, changes, hash: askedHash({ name, changes, actions }, crypto), actions };
}

/** The first action, counted from 1, that was not played as it was listed; null where there is none. */
export function strayAction({ actions }: Pick<KeptList, 'actions'>): number | null {
  const at = actions.findIndex((action) =>
    action.kind === 'cold-reset' ? action.answer === null : action.wire[0]?.command !== null,
  );
  return at < 0 ? null : at + 1;
}

/** The hash of a list, made again from its kept form. */
export function askedHash(
  { name, changes, actions }: Pick<KeptList, 'name' | 'changes' | 'actions'>,
  crypto: Crypto,
): string {
  const asked = actions.map((action) =>
    action.kind === 'cold-reset' ? action.kind : `${action.command} ${action.deadlineMs}`,
  );
  return domainHash('holdfast-list-2', [name, changes, ...asked], crypto);
}

/** Before the first list. */
export function transcriptStart(operation: string, epoch: number, crypto: Crypto): string {
  return toHex(crypto.sha256(fromText(`holdfast-transcript-2\n${operation}\n${epoch}\n`)));
}

/** After a list was played: hash of the previous value and the text of what is kept. */
export function transcriptNext(previous: string, keptText: string, crypto: Crypto): string {
  return toHex(crypto.sha256(fromText(`${previous}\n${keptText}`)));
}

/** The hash that a receipt must carry, made again from the kept form. */
export function transcriptHashOf(
  { operation, epoch, lists }: Pick<Transcript, 'operation' | 'epoch' | 'lists'>,
  crypto: Crypto,
): string {
  return lists.reduce(
    (hash, list) => transcriptNext(hash, canonicalJson(list), crypto),
    transcriptStart(operation, epoch, crypto),
  );
}

/** SHA-256 of what the gateway judged. Apart from the transcript hash, which the station must be able to make. */
export function judgedHashOf(judged: JudgedFacts, crypto: Crypto): string {
  return domainHash('holdfast-judged-1', judged, crypto);
}

function domainHash(domain: string, value: object, crypto: Crypto): string {
  return toHex(crypto.sha256(fromText(`${domain}\n${canonicalJson(value)}`)));
}
