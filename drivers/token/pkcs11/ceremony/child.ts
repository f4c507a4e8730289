/** The token's process in a ceremony: the only one with the PIN, with key handles and with components. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type {
  CeremonyToken,
  ComponentSource,
  ConstantsWritten,
} from '../../../../runtime/core/ceremony/token.ts';
import { asFault, Fault, isFault, noteOf } from '../../../../runtime/core/faults.ts';
import { type KeyRule, ruleFor } from '../../../../runtime/core/key-policy.ts';
import {
  type Cryptoki,
  describe,
  findSlot,
  type Handle,
  loadModule,
  logIn,
  openSession,
} from '../cryptoki.ts';
import { demandOffered, offeredBy } from '../mechanisms.ts';
import { createOperations } from '../operations.ts';
import { openPinnedMemory } from '../pinned-memory.ts';
import { auditToken } from '../templates.ts';
import { withJoined } from './components.ts';
import { type ConstantsDemand, writeConstants } from './constants-file.ts';
import {
  generatePair,
  generateSecret,
  keepJoined,
  ruleNamed,
  sizeOf,
  type Trial,
  unwrapUnderKek,
  unwrapUnderRsa,
  wrapNewborn,
} from './creation.ts';
import { unwrapPair, wrapNewbornPair } from './pair-backup.ts';
import type { CeremonyReply, CeremonyRequest, CeremonyStart, CeremonyVerb } from './protocol.ts';
import { checkValueOf, type Desk, objectNamed, readKey } from './reading.ts';
import { carryTagKey, writeTagKey } from './tag-key.ts';
import { promptHidden } from './terminal.ts';

/** Bytes of the key under which backups and imports are wrapped. */
const KEK_BYTES = 32;

type Verbs = Pick<CeremonyToken, CeremonyVerb>;
let verbs: Verbs | null = null;

process.on('disconnect', () => process.exit(0));
process.on('message', (request: CeremonyRequest) => {
  answer(request).then(
    (reply) => send(reply),
    (error: unknown) => send({ kind: 'failed', fault: noteOf(foreseen(error)) }),
  );
});

async function answer(request: CeremonyRequest): Promise<CeremonyReply> {
  if (request.kind === 'start') return start(request.start);
  if (verbs === null) throw new RangeError('not started');
  const verb = verbs[request.verb] as (...input: readonly unknown[]) => Promise<unknown>;
  return { kind: 'result', result: await verb(...request.input) };
}

/** Texts of unforeseen errors stay here: they might hold what was entered. Those of our range checks do not. */
function foreseen(error: unknown): Fault {
  return isFault(error)
    ? error
    : asFault(error, 'UNEXPECTED', { reason: error instanceof RangeError ? error.message : 'unforeseen' });
}

function send(reply: CeremonyReply): void {
  if (process.connected) process.send?.(reply);
}

function start({ module, label, pinFile, laboratory, role, kdf }: CeremonyStart): CeremonyReply {
  const cryptoki = loadModule(module);
  const slot = findSlot(cryptoki, label);
  const description = describe(cryptoki, slot);
  if (description.softwareToken && !laboratory)
    throw new Fault('TOKEN_UNAVAILABLE', { label, reason: 'a software token' });
  const session = logIn(cryptoki, slot, pinFile);
  verbs = createVerbs({ cryptoki, slot, session, role, kdf });
  return { kind: 'ready', description };
}

interface LoggedIn extends Pick<CeremonyStart, 'role' | 'kdf'> {
  readonly cryptoki: Cryptoki;
  readonly slot: Handle;
  readonly session: Handle;
}

/** Each verb works in a session of its own: an error leaves none behind in the middle of an operation. */
function createVerbs({ cryptoki, slot, session, role, kdf }: LoggedIn): Verbs {
  const pinned = openPinnedMemory();
  const atDesk = async <T>(work: (desk: Desk) => T | Promise<T>): Promise<T> => {
    const at = { cryptoki, session: openSession(cryptoki, slot), pinned, kdf };
    const token = createOperations(at);
    try {
      return await work({ at, token });
    } finally {
      token.close();
    }
  };
  /** A key that stays cannot be destroyed again, so what it needs is asked for before. */
  const demanded = (label: string): KeyRule => {
    const rule = ruleNamed('secret', label, kdf);
    demandOffered(label, rule, offeredBy(cryptoki, slot, pinned));
    return rule;
  };
  const joined = <T>(sources: readonly ComponentSource[], size: number, use: (key: Uint8Array) => T) =>
    withJoined(sources, size, promptHidden, use);
  return {
    readKey: (label) => atDesk((desk) => readKey(desk, label)),
    generate: (label) =>
      atDesk(({ at }) => {
        if (ruleFor('secret', label) === undefined) generatePair(at, label);
        else {
          demanded(label);
          generateSecret(at, label);
        }
      }),
    wrapNewborn: (under) => atDesk(({ at }) => joined(under, KEK_BYTES, (kek) => wrapNewborn(at, kek))),
    wrapNewbornPair: (label, under) =>
      atDesk((desk) => joined(under, KEK_BYTES, (kek) => wrapNewbornPair(desk, label, kek))),
    unwrapPair: (label, pair, under) =>
      atDesk((desk) => joined(under, KEK_BYTES, (kek) => unwrapPair(desk, label, pair, kek))),
    join: (label, components, checkValue) =>
      atDesk(async (desk) => {
        const size = sizeOf(demanded(label));
        await joined(components, size, (key) =>
          keepJoined(desk.at, label, key, demandCheckValue(desk, label, checkValue)),
        );
      }),
    unwrap: (label, wrapped, under, checkValue) =>
      atDesk(async (desk) => {
        demanded(label);
        const secret = { label, wrapped, trial: demandCheckValue(desk, label, checkValue) };
        if (under.method === 'aes-kwp')
          return joined(under.components, KEK_BYTES, (kek) => unwrapUnderKek(desk.at, secret, kek));
        const key = objectNamed(desk, 'private', under.key);
        if (key === null) throw new Fault('HSM_FAILED', { key: under.key, reason: 'not in the token' });
        return unwrapUnderRsa(desk.at, secret, key);
      }),
    writeConstants: (file, keyVersions) =>
      atDesk((desk) => sealedConstants(desk, { constantsFile: file, keyVersions, kdf })),
    writeTagKey: async (file) => writeTagKey({ cryptoki, session }, file),
    carryTagKey: async (cargo, recipients) => carryTagKey({ cryptoki, session }, cargo, recipients),
    audit: async () => auditToken(cryptoki, session, role, kdf),
  };
}

/** @throws Fault CEREMONY_PLAN_REFUSED where nothing could seal the file */
function sealedConstants(desk: Desk, demand: ConstantsDemand): ConstantsWritten {
  if (objectNamed(desk, 'secret', 'constants-seal') === null)
    throw new Fault('CEREMONY_PLAN_REFUSED', { why: 'constants-seal is to be generated first' });
  const entries = writeConstants(desk.at, demand);
  return {
    sha256: createHash('sha256').update(readFileSync(demand.constantsFile)).digest('hex'),
    entries: entries.map(({ master, keyVersion, checkValues }) => ({ master, keyVersion, checkValues })),
  };
}

/** @throws Fault CEREMONY_KEY_DIFFERS with the check value that was found */
function demandCheckValue(desk: Desk, key: string, expected: string | null): Trial {
  return (handle, rule) => {
    const found = checkValueOf(desk, handle, rule);
    if (expected !== null && found !== expected)
      throw new Fault('CEREMONY_KEY_DIFFERS', { key, why: 'another check value', expected, found });
  };
}
