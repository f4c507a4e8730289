/** A grown log whose backend asks witnesses in memory, round by round, by hand. */
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createInMemoryHttp, type InMemoryHttp } from '../../drivers/http/in-memory.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { beginCosigning } from '../../runtime/backend/cosigning.ts';
import type { BackendPorts } from '../../runtime/backend/ports.ts';
import { witnessAt } from '../../runtime/cli/witness/desk.ts';
import { verifierKey } from '../../runtime/core/log/note.ts';
import { type Policy, readPolicy } from '../../runtime/core/log/policy.ts';
import { logKeys } from '../core/log-samples.ts';
import { type GrownLog, grownLog } from './grown-log.ts';
import { deskOf, witnessKeys } from './witnesses.ts';

/** Two of three must have cosigned. */
export const policyText = [
  `log ${verifierKey(logKeys.key, nodeCrypto)}`,
  ...['a', 'b', 'c'].map((name) => `witness ${name} ${witnessKeys(`w.example/${name}`).vkey} http://${name}`),
  'group two 2 a b c',
  'quorum two',
  '',
].join('\n');

export const policy: Policy = readPolicy(policyText, nodeCrypto);

export interface CosignedLog extends GrownLog {
  readonly http: InMemoryHttp;
  readonly log: ReturnType<typeof createMemoryLog>;
  readonly clock: ReturnType<typeof createSimulatedClock>;
  round(): Promise<void>;
}

export const ROUND_MS = 10_000;

/** Witnesses of the policy at their addresses. */
export async function serveWitnesses(http: InMemoryHttp): Promise<void> {
  for (const name of ['a', 'b', 'c']) {
    const { key, sign } = witnessKeys(`w.example/${name}`);
    await http.door(name).serve(witnessAt(deskOf({ key, sign })));
  }
}

export async function cosignedLog(leaves: number, http = createInMemoryHttp()): Promise<CosignedLog> {
  const grown = await grownLog(leaves);
  const log = createMemoryLog();
  const clock = createSimulatedClock(Date.UTC(2026, 0, 1));
  const ports: BackendPorts = { ...grown.ports, log, clock };
  const settings = { policyFile: 'none', roundMs: ROUND_MS, deadlineMs: 100 };
  const round = await beginCosigning(settings, { policy, http: http.client }, ports, grown.sequencer);
  return { ...grown, http, log, clock, round };
}
