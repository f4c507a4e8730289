/**
 * Has the log's checkpoints cosigned by the witnesses of the policy: one round at a time, of whatever is committed
 * then, with a deadline for each. Nothing waits for it; a proof is complete once a round met the quorum.
 *
 * @see https://c2sp.org/tlog-witness
 */
import type { BackendConfig } from '../../config/backend.ts';
import { equal } from '../core/bytes.ts';
import { asFault, Fault } from '../core/faults.ts';
import { isBy, type NoteKey, readNote, readSignature, verifySignature } from '../core/log/note.ts';
import type { Policy, PolicyKey } from '../core/log/policy.ts';
import { addCheckpointText } from '../core/log/witness.ts';
import type { HttpAnswer } from '../core/ports.ts';
import type { CosignatureRow } from '../core/store/log.ts';
import type { BackendPorts, WitnessPorts } from './ports.ts';
import type { Committed, Sequencer } from './sequencer.ts';

/** Asking from a size that the witness does not expect, asking from the one it names, and one more for a rival. */
const QUESTIONS_MAX = 3;
/** Of a witness's reason in our log. */
const REASON_LENGTH_MAX = 200;

interface Round {
  readonly ports: BackendPorts;
  readonly witnesses: WitnessPorts;
  readonly log: Committed;
  readonly deadlineMs: number;
  /** What each witness cosigned last, as far as it is known. */
  readonly cosigned: Map<string, number>;
}

/** @returns runs one round, for whoever does not want to wait for the clock
 * @throws Fault CONFIG_INVALID when the policy is of another log; STORE_UNAVAILABLE */
export async function beginCosigning(
  { deadlineMs, roundMs }: NonNullable<BackendConfig['witnesses']>,
  witnesses: WitnessPorts,
  ports: BackendPorts,
  sequencer: Sequencer,
): Promise<() => Promise<void>> {
  demandOwn(witnesses.policy, ports.logSigner.key);
  const names = witnesses.policy.witnesses.map(({ name }) => name);
  const sizes = await ports.store.transaction((tx) =>
    Promise.all(names.map((name) => tx.cosignedSize(name))),
  );
  const cosigned = new Map(names.map((name, i) => [name, sizes[i] ?? 0]));
  const round = async (): Promise<void> => {
    const log = sequencer.committed;
    if (log !== null && log.size > 0) await runRound({ ports, witnesses, log, deadlineMs, cosigned });
  };
  const again = (): void => {
    ports.clock.after(roundMs, () => {
      void round()
        .catch((error: unknown) => tell(ports, null, error))
        .then(again);
    });
  };
  again();
  return round;
}

/** Every witness that has not cosigned this size is asked for it, all at the same time. */
async function runRound(round: Round): Promise<void> {
  const { ports, witnesses, log, cosigned } = round;
  const due = witnesses.policy.witnesses.filter(
    ({ name, url }) => url !== null && cosigned.get(name) !== log.size,
  );
  const rows: CosignatureRow[] = [];
  await Promise.all(
    due.map(async (witness) => {
      try {
        rows.push(await cosignedBy(witness, round));
      } catch (error) {
        tell(ports, witness, error);
      }
    }),
  );
  if (rows.length === 0) return;
  await ports.store.transaction((tx) => tx.insertCosignatures(rows));
  for (const { witness } of rows) cosigned.set(witness, log.size);
  ports.log.write('info', 'cosigned', {
    size: log.size,
    witnesses: rows.length,
    of: witnesses.policy.witnesses.length,
  });
}

/** @throws Fault WITNESS_UNREACHABLE, WITNESS_REFUSES */
async function cosignedBy(witness: PolicyKey, round: Round): Promise<CosignatureRow> {
  const { witnesses, log, deadlineMs, cosigned } = round;
  const url = `${witness.url?.replace(/\/$/, '')}/add-checkpoint`;
  let old = Math.min(cosigned.get(witness.name) ?? 0, log.size);
  for (let questions = 0; questions < QUESTIONS_MAX; questions++) {
    const proof = old === 0 || old === log.size ? [] : log.tree.consistencyProof(old, log.size);
    const body = addCheckpointText({ old, proof, checkpoint: log.checkpoint });
    const answer = await witnesses.http.post(url, body, deadlineMs);
    if (answer.status === 200) return rowOf(answer, witness, round);
    const size = answer.status === 409 && /^\d{1,15}\n?$/.test(answer.body) ? Number(answer.body) : null;
    if (size === null || size > log.size)
      throw new Fault('WITNESS_REFUSES', {
        ...{ witness: witness.name, status: answer.status, size: log.size },
        why: answer.body.trim().slice(0, REASON_LENGTH_MAX),
      });
    old = size;
  }
  throw new Fault('WITNESS_REFUSES', { witness: witness.name, why: 'it names another size each time' });
}

/** The witness's own line among those of its answer; lines of others are passed over. */
function rowOf({ body }: HttpAnswer, witness: PolicyKey, { ports: { crypto }, log }: Round): CosignatureRow {
  const text = readNote(log.checkpoint)?.text ?? '';
  for (const line of body.split('\n')) {
    const signature = readSignature(line);
    if (signature === null || !isBy(signature, witness.key, crypto)) continue;
    const time = verifySignature(signature, text, witness.key, crypto)?.time ?? null;
    if (time !== null)
      return { size: log.size, witness: witness.name, cosignedAt: time, line, checkpoint: log.checkpoint };
  }
  throw new Fault('WITNESS_REFUSES', {
    witness: witness.name,
    why: 'its answer holds no cosignature of its key',
  });
}

/** A witness that is away is waited for; one that refuses may have seen another history. */
function tell({ log }: BackendPorts, witness: PolicyKey | null, error: unknown): void {
  const { code, context } = asFault(error, 'UNEXPECTED', { witness: witness?.name ?? null });
  const level = code === 'WITNESS_REFUSES' ? 'error' : 'warn';
  log.write(level, 'fault', { part: 'witness', witness: witness?.name ?? null, code, ...context });
}

/** @throws Fault CONFIG_INVALID */
function demandOwn({ logs }: Policy, own: NoteKey): void {
  if (logs.some(({ key }) => key.name === own.name && equal(key.publicKey, own.publicKey))) return;
  throw new Fault('CONFIG_INVALID', { why: 'the policy of witnesses does not name the key of this log' });
}
