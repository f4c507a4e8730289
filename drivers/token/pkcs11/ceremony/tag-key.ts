/** The key that a gate controller shares with the backend: drawn here, and written or sent. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Cargo, encryptToAll, type Recipient } from '../../../../runtime/core/ceremony/carriage.ts';
import { Fault } from '../../../../runtime/core/faults.ts';
import { nodeCrypto } from '../../../crypto/node.ts';
import { openKernelEntropy } from '../../../entropy/kernel.ts';
import { guarded } from '../cryptoki.ts';
import { checkValueOfBytes } from './components.ts';
import type { CreationPlace } from './creation.ts';

const TAG_KEY_BYTES = 16;

/** Encrypted to each recipient, in their order, and wiped here.
 * @throws Fault HSM_FAILED; ENVELOPE_INVALID for a recipient whose key is none */
export function carryTagKey(
  place: CreationPlace,
  cargo: Cargo,
  recipients: readonly Recipient[],
): { readonly checkValue: string; readonly keys: readonly string[] } {
  const key = drawTagKey(place);
  try {
    const keys = encryptToAll(key, cargo, recipients, { crypto: nodeCrypto, entropy: openKernelEntropy() });
    return { checkValue: checkValueOfBytes(key), keys };
  } finally {
    key.fill(0);
  }
}

/** Drawn by the token and by this machine, so that neither alone decides it. */
function drawTagKey({ cryptoki, session }: CreationPlace): Buffer {
  const drawn = guarded('HSM_FAILED', () => cryptoki.C_GenerateRandom(session, Buffer.alloc(TAG_KEY_BYTES)));
  const ours = randomBytes(TAG_KEY_BYTES);
  for (let i = 0; i < TAG_KEY_BYTES; i++) drawn[i] = (drawn[i] ?? 0) ^ (ours[i] ?? 0);
  ours.fill(0);
  return drawn;
}

/** Into a file, once.
 * @throws Fault FILE_UNREADABLE for a file that holds something else */
export function writeTagKey(place: CreationPlace, file: string): { readonly checkValue: string } {
  if (!existsSync(file)) {
    const drawn = drawTagKey(place);
    const next = `${file}.new`;
    rmSync(next, { force: true });
    writeFileSync(next, `${drawn.toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(next, file);
    drawn.fill(0);
  }
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-f]{32}$/.test(text))
    throw new Fault('FILE_UNREADABLE', { path: file, reason: 'not 16 bytes' });
  return { checkValue: checkValueOfBytes(Buffer.from(text, 'hex')) };
}
