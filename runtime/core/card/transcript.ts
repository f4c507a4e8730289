/**
 * The transcript of a dialogue as a running hash: station and gateway each make their own, and the receipts
 * carry it, so that both speak of the same exchange with the same chip.
 */
import { type Bytes, bigEndian, concat, fromHex, fromText, toHex } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { Crypto } from '../ports.ts';
import type { Exchange } from './apdu.ts';

/** SHA-256, hexadecimal, of an APDU list as it was sent. */
export function listHashOf(list: object, crypto: Crypto): string {
  return toHex(crypto.sha256(fromText(canonicalJson(list))));
}

/** Before the first list. */
export function transcriptStart(operation: string, epoch: number, crypto: Crypto): string {
  return toHex(crypto.sha256(fromText(`holdfast-transcript-1\n${operation}\n${epoch}\n`)));
}

/** After a list was played: hash of the previous value, the list's hash and each frame with its answer,
 * lengths as 4 bytes big endian. */
export function transcriptNext(
  previous: string,
  listHash: string,
  exchanges: readonly Exchange[],
  crypto: Crypto,
): string {
  const frames = exchanges.flatMap(({ kind, command, answer, wire }) =>
    kind === 'cold-reset'
      ? [framed(command), framed(answer)]
      : wire.flatMap((f) => [framed(f.command), framed(f.answer)]),
  );
  return toHex(crypto.sha256(concat(fromHex(previous), fromHex(listHash), ...frames)));
}

function framed(bytes: Bytes): Bytes {
  return concat(bigEndian(bytes.length, 4), bytes);
}
