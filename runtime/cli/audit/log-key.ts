/** The key of the fleet log as a verifier knows it: told by the option, or as the stations of a line know it. */
import { fromHex } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { type NoteKey, readVerifierKey } from '../../core/log/note.ts';
import { type Arguments, textOf, usage } from '../command.ts';
import { DEFAULT_LINE } from '../fleet/place.ts';
import { stationsIn } from '../journal/place.ts';
import type { Files, Means } from '../means.ts';

/** Never from the database or the backend: those are what is judged. @throws Fault USAGE, CONFIG_INVALID */
export function logKeyOf(given: Arguments, means: Means): NoteKey {
  const typed = textOf(given, 'log-key');
  if (typed !== null) return readVerifierKey(typed, means.crypto) ?? typedKey(typed);
  const line = textOf(given, 'dir') ?? DEFAULT_LINE;
  const files = [line, ...stationsIn(line, means.files).map((station) => `${line}/${station}`)]
    .map((directory) => `${directory}/station.json`)
    .filter((file) => means.files.exists(file));
  const [first, ...others] = files.map((file) => keyIn(file, means.files));
  if (first === undefined)
    throw usage('say whose log it is: --log-key NAME:HEX, or --dir LINE with the station.json of a station');
  if (others.some((key) => key.text !== first.text))
    throw new Fault('CONFIG_INVALID', { line, why: 'the stations of this line know different log keys' });
  return typedKey(first.text);
}

/** `laboratory.example/log:9f…`, 32 bytes. */
function typedKey(text: string): NoteKey {
  const [, name, hex] = /^(.+):([0-9a-f]{64})$/i.exec(text) ?? [];
  if (name === undefined || hex === undefined)
    throw usage(
      '--log-key takes NAME:HEX, the origin of the log and its Ed25519 key as 64 hexadecimal digits, or its verifier key',
    );
  return { name, publicKey: fromHex(hex) };
}

/** @throws Fault CONFIG_INVALID */
function keyIn(file: string, files: Files): { readonly text: string } {
  try {
    const { logKey } = JSON.parse(files.read(file)) as { logKey?: { name?: unknown; publicKey?: unknown } };
    if (typeof logKey?.name === 'string' && typeof logKey.publicKey === 'string')
      return { text: `${logKey.name}:${logKey.publicKey.toLowerCase()}` };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Fault('CONFIG_INVALID', { file, why: 'logKey is missing' });
}
