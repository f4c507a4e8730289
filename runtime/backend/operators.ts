/**
 * Who is in charge at a station. A badge is looked for among the registered operators, each with a key of its own; the
 * shift that begins is a leaf of the log and a receipt, and only by its receipt is anybody named later.
 */
import type { BackendConfig } from '../../config/backend.ts';
import { toBase64 } from '../core/bytes.ts';
import { Fault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { leafOf } from '../core/log/leaf.ts';
import { seal } from '../core/messages/envelope.ts';
import type { signInExchange } from '../core/messages/exchanges.ts';
import { pseudonymOf } from '../core/messages/operator.ts';
import { decryptBadge, judgeShift, type Shift, shiftReceipt } from '../core/messages/shift.ts';
import type { Clock } from '../core/ports.ts';
import type { OperatorKeyRow } from '../core/store/operators.ts';
import { uuidV7 } from '../core/uuid.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import type { BackendPorts } from './ports.ts';
import type { Sequencer } from './sequencer.ts';

const HOUR_MS = 3_600_000;

export function signInHandler(
  { shiftHours }: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
): HandlerOf<typeof signInExchange> {
  const { crypto, clock, signer } = ports;
  // It ends with this program: whoever records the bus and takes every key later learns no badge.
  const own = crypto.drawAgreementKey(ports.entropy);
  const bar = createBar(clock);
  return async ({ station, body }) => {
    if (body.kind === 'key') return { body: { kind: 'key', key: toBase64(own.publicKey) } };
    bar.demand(station);
    const badge = decryptBadge(body.badge, own, station, crypto);
    const nowMs = clock.now();
    const times = { since: instantOf(nowMs), until: instantOf(nowMs + shiftHours * HOUR_MS) };
    const shift = uuidV7(nowMs, ports.entropy.bytes(10));
    const { value } = await sequencer.add(async ({ tx, append }) => {
      const row = ownerOf(badge, await tx.operatorKeys(), ports);
      if (row === null) return null;
      const begun: Shift = { shift, station, pseudonym: row.pseudonym, ...times };
      append(leafOf('shift', `shift/${shift}`, begun.since, begun));
      return { begun, name: row.name };
    }, true);
    if (value === null) {
      bar.count(station);
      throw new Fault('OPERATOR_UNKNOWN', { station });
    }
    const receipt = await seal(shiftReceipt, value.begun, signer, crypto);
    return { body: { kind: 'shift', receipt, name: value.name } };
  };
}

/** The operator who may sign in with this badge; null for nobody. */
export function ownerOf(
  badge: string,
  rows: readonly OperatorKeyRow[],
  { crypto }: Pick<BackendPorts, 'crypto'>,
): OperatorKeyRow | null {
  const owns = ({ key, pseudonym, removedAt }: OperatorKeyRow): boolean =>
    removedAt === null && pseudonymOf(badge, key, crypto) === pseudonym;
  return rows.find(owns) ?? null;
}

/** Who is in charge there; never blank. */
export function authorityOf(station: string, { authorities }: BackendConfig): string {
  return authorities[station] ?? 'no authority configured';
}

/**
 * The pseudonym in a receipt that counts at this moment. Without one, after the end of its shift and after the operator was
 * removed it is the authority that the backend names: nothing is held for that.
 * @throws Fault SHIFT_INVALID, STORE_UNAVAILABLE
 */
export async function operatorInCharge(
  station: string,
  receipt: string | undefined,
  config: BackendConfig,
  { store, trusted, crypto, clock }: Pick<BackendPorts, 'store' | 'trusted' | 'crypto' | 'clock'>,
): Promise<string> {
  const at = { station, nowMs: clock.now() };
  const shift = receipt === undefined ? null : judgeShift(receipt, at, trusted, crypto);
  if (shift === null) return authorityOf(station, config);
  const row = await store.transaction((tx) => tx.operatorKey(shift.pseudonym));
  return row === null || row.removedAt !== null ? authorityOf(station, config) : shift.pseudonym;
}

/** Unknown badges of one station in so long a time: whoever has a station's keys cannot try them all. */
const UNKNOWN_MAX = 10;
const UNKNOWN_MS = 600_000;

function createBar({ monotonicMs }: Pick<Clock, 'monotonicMs'>) {
  const tried = new Map<string, readonly number[]>();
  const recent = (station: string): readonly number[] =>
    (tried.get(station) ?? []).filter((atMs) => monotonicMs() - atMs < UNKNOWN_MS);
  return {
    /** @throws Fault SIGN_IN_BARRED */
    demand: (station: string): void => {
      const { length } = recent(station);
      if (length >= UNKNOWN_MAX) throw new Fault('SIGN_IN_BARRED', { station, tried: length });
    },
    count: (station: string): void => {
      tried.set(station, [...recent(station), monotonicMs()]);
    },
  };
}
