/** `holdfast witness`: cosigns checkpoints of fleet logs for whoever does not want to believe the plant alone. */
import { Fault } from '../../core/faults.ts';
import { type NoteKey, readVerifierKey, SignatureType, verifierKey } from '../../core/log/note.ts';
import type { HttpDoor } from '../../core/ports.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, isSet, listOf, textOf, usage } from '../command.ts';
import { needed } from '../given.ts';
import type { Means } from '../means.ts';
import { witnessAt } from './desk.ts';

const ADDRESS = '127.0.0.1:8750';

const witnessCommand: Command = {
  name: 'witness',
  summary: 'runs a witness: cosigns each checkpoint of a log that has only grown',
  options: {
    key: { type: 'string', value: 'FILE', help: 'Ed25519 key of the witness, PKCS#8 PEM, mode 0600' },
    name: { type: 'string', value: 'NAME', help: 'name of the witness for ever: a URL without scheme' },
    'show-key': { type: 'boolean', help: 'shows its verifier key, as a policy names it, and ends' },
    log: { type: 'string', value: 'VKEY', help: 'verifier key of a log; again for each', multiple: true },
    state: {
      type: 'string',
      value: 'DIR',
      help: 'where it keeps what it cosigned; never restore a copy of it',
    },
    listen: { type: 'string', value: 'HOST:PORT', help: `where it is asked (default ${ADDRESS})` },
  },
  notes: [
    'POST /add-checkpoint, and GET /HASH/checkpoint, where HASH is the SHA-256 of the origin (C2SP tlog-witness).',
    'It runs until it is ended, and keeps each checkpoint on its disk before it cosigns.',
  ],
  examples: ['holdfast witness --key FILE --name witness.example/w1 --log VKEY --state /var/lib/witness'],
  run: async (given, means) => {
    const { key, sign } = await keyOf(given, means);
    const witness = verifierKey(key, means.crypto);
    if (isSet(given, 'show-key')) {
      means.print(isSet(given, 'json') ? JSON.stringify({ witness }) : witness);
      return ExitCode.done;
    }
    const typed = listOf(given, 'log');
    if (typed.length === 0) throw usage('--log is missing: the verifier key of the log that it witnesses');
    const logs = typed.map((text) => readVerifierKey(text, means.crypto) ?? notAKey(text));
    const { host, port } = addressOf(textOf(given, 'listen') ?? ADDRESS);
    await using door = await means.witness.openDoor(host, port);
    const url = await servedAt(
      door,
      witnessAt({
        key,
        sign,
        logs,
        directory: needed(given, 'state', 'where the witness keeps what it cosigned'),
        shelf: means.ceremony.shelf,
        crypto: means.crypto,
        now: () => means.now(),
        talk: (line) => means.talk(line),
      }),
    );
    means.print(JSON.stringify({ event: 'ready', url, witness }));
    await means.witness.ended();
    return ExitCode.done;
  },
};

export const witnessCommands: readonly Command[] = [witnessCommand];

async function keyOf(
  given: Arguments,
  means: Means,
): Promise<{ readonly key: NoteKey; readonly sign: (message: Uint8Array) => Uint8Array }> {
  const name = needed(given, 'name', 'the name of the witness');
  const { publicKey, sign } = await means.witness.openKey(needed(given, 'key', 'the key of the witness'));
  return { key: { name, publicKey, type: SignatureType.cosignature }, sign };
}

/** @throws Fault USAGE when nobody can listen at the address */
async function servedAt(door: HttpDoor, answer: Parameters<HttpDoor['serve']>[0]): Promise<string> {
  try {
    return await door.serve(answer);
  } catch (cause) {
    const { code = 'unknown' } = cause as { readonly code?: string };
    throw new Fault('USAGE', { why: `nobody can listen at this address: ${code}` }, { cause });
  }
}

function notAKey(text: string): never {
  throw usage(`--log takes a verifier key, NAME+HASH+KEY, not ${text}`);
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535)
    throw new Fault('USAGE', { why: `--listen takes HOST:PORT, not ${text}` });
  return { host, port: Number(port) };
}
