/**
 * Two stations, two backends, one database, and one name too many: the same EID on two chips, two EIDs on one chip, or
 * one unit in two places. Every verb of every transaction waits a time drawn from a seed, so that they interleave in
 * another way each round. Exactly one wins.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openKernelEntropy } from '../../drivers/entropy/kernel.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import type { BackendPorts } from '../../runtime/backend/ports.ts';
import { reserveHandler } from '../../runtime/backend/reservation.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { ControllerReport } from '../../runtime/core/gate/release.ts';
import { signReport } from '../../runtime/core/gate/tag.ts';
import type { FleetStore, FleetTransaction } from '../../runtime/core/store/fleet.ts';
import { uuidV4 } from '../../runtime/core/uuid.ts';
import { createParties, simulatedTicket } from '../simulation/parties.ts';
import { backendSettings } from '../simulation/settings.ts';
import { usualSupply } from '../simulation/supply.ts';
import { hashOf } from './units.ts';

export interface RivalOptions {
  /** Each backend’s own connection to the same database. */
  readonly stores: readonly [FleetStore, FleetStore];
  readonly rounds: number;
  readonly seed: string;
  /** Longest wait before a verb. */
  readonly pauseMsMax: number;
}

export interface RivalReport {
  readonly rounds: number;
  /** Rounds in which the second backend won. */
  readonly secondWon: number;
  /** What was wrong, with the command that shows it again. */
  readonly problems: readonly string[];
}

const STATIONS = ['station-1', 'station-2'];
const KINDS = ['two chips of one name', 'one chip of two names', 'one unit in two places'] as const;
type Kind = (typeof KINDS)[number];
type Reserve = ReturnType<typeof reserveHandler>;

interface Plant {
  readonly backends: readonly Reserve[];
  readonly ticket: string;
  readonly tagKeys: readonly Uint8Array[];
  readonly seed: string;
}

export async function rivals(options: RivalOptions): Promise<RivalReport> {
  const { rounds, seed, stores } = options;
  const clock = openSystemClock();
  const parties = createParties(createSimulatedEntropy(`rivals ${seed}`), STATIONS, clock.now());
  const ports = (store: FleetStore): BackendPorts => ({
    ...{
      clock,
      entropy: openKernelEntropy(),
      crypto: nodeCrypto,
      log: createMemoryLog(),
      trusted: parties.trusted,
    },
    ...{ signer: parties.backendSigner, logSigner: parties.logSigner, heads: createInMemoryHead() },
    ...{ bus: undefined as never, instructions: undefined as never },
    store: hesitating(store, createSimulatedEntropy(`pauses ${seed}`), options.pauseMsMax),
    controllers: STATIONS.map((station, i) => ({
      name: `gate-${i + 1}`,
      station,
      key: keyOf(parties.tagKeys, i),
    })),
  });
  const backends: Reserve[] = [];
  for (const store of stores) {
    const sequencer = new Sequencer(ports(store), 4096);
    await sequencer.load();
    backends.push(reserveHandler(backendSettings(STATIONS, 'controller'), ports(store), sequencer));
  }
  const order = { stations: STATIONS, quota: 4 * rounds, nowMs: clock.now(), supply: usualSupply };
  const plant = { backends, ticket: await simulatedTicket(parties, order), tagKeys: parties.tagKeys, seed };
  const problems: string[] = [];
  let secondWon = 0;
  for (let round = 1; round <= rounds; round++) {
    const kind = KINDS[round % KINDS.length] ?? KINDS[0];
    const outcome = await compete(plant, round, kind);
    const wrong = objectionTo(kind, outcome);
    if (wrong !== null) problems.push(`round ${round}, ${kind}: ${wrong}`);
    if (
      outcome[1]?.code === null &&
      (outcome[0]?.code !== null || (outcome[1].epoch ?? 0) < (outcome[0].epoch ?? 0))
    )
      secondWon += 1;
  }
  return { rounds, secondWon, problems };
}

interface Outcome {
  /** Null: it was reserved. */
  readonly code: string | null;
  readonly operation: string | null;
  readonly epoch: number | null;
}

function compete(plant: Plant, round: number, kind: Kind): Promise<readonly Outcome[]> {
  return Promise.all(
    plant.backends.map((reserve, i) => outcomeOf(reserve, plant, { round, kind, station: i })),
  );
}

interface Claim {
  readonly round: number;
  readonly kind: Kind;
  readonly station: number;
}

async function outcomeOf(reserve: Reserve, plant: Plant, { round, kind, station }: Claim): Promise<Outcome> {
  const second = station === 1;
  const eid = eidOfIndex(2 * round + (second && kind === 'one chip of two names' ? 1 : 0));
  const chip = `${plant.seed} ${round}${second && kind === 'two chips of one name' ? ' copy' : ''}`;
  const report: ControllerReport = {
    ...{ kind: 'arrived', reason: 'none', controller: `gate-${station + 1}`, nest: 'a', arrival: round },
    ...{ gate: 'closed', obeyed: 0, left: { arrival: 0, counter: 0, lane: 'good' }, mac: null },
  };
  const body = {
    attempt: uuidV4(createSimulatedEntropy(`${chip} ${station}`).bytes(16)),
    ticket: plant.ticket,
    identity: { eid, seFingerprint: hashOf(chip), atr: '3b00', keyVersions: [0x30] },
    report: signReport(report, keyOf(plant.tagKeys, station), nodeCrypto),
  };
  const request = {
    ...{ id: body.attempt, to: 'backend', step: 0, sentAt: '', operation: null, epoch: null },
    ...{ station: STATIONS[station] ?? '', nest: 'a', body },
  };
  try {
    const { binding } = await reserve(request as Parameters<Reserve>[0], { jws: '', hash: '' });
    return { code: null, operation: binding?.operation ?? null, epoch: binding?.epoch ?? null };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { code: error.code, operation: null, epoch: null };
  }
}

/** What may not be; null for nothing. */
function objectionTo(kind: Kind, outcomes: readonly Outcome[]): string | null {
  const said = JSON.stringify(outcomes);
  const won = outcomes.filter(({ code }) => code === null);
  if (kind === 'one unit in two places') {
    const epochs = won.map(({ epoch }) => epoch).sort();
    const one = new Set(won.map(({ operation }) => operation)).size === 1;
    return one && epochs.join() === '1,2' ? null : `it has not one operation of two epochs: ${said}`;
  }
  const wanted = kind === 'two chips of one name' ? 'UNIT_CLONED' : 'UNIT_RELABELLED';
  const lost = outcomes.filter(({ code }) => code === wanted);
  return won.length === 1 && lost.length === 1 ? null : `not one was reserved and one refused: ${said}`;
}

/** The same store, in which every verb waits a little before it is sent. */
function hesitating(
  store: FleetStore,
  entropy: ReturnType<typeof createSimulatedEntropy>,
  pauseMsMax: number,
): FleetStore {
  const slowly = (tx: FleetTransaction): FleetTransaction =>
    Object.fromEntries(
      Object.entries(tx).map(([name, verb]) => [
        name,
        async (...values: unknown[]) => {
          await sleep(((entropy.bytes(1)[0] ?? 0) * pauseMsMax) / 255);
          return (verb as (...given: unknown[]) => Promise<unknown>)(...values);
        },
      ]),
    ) as unknown as FleetTransaction;
  return { transaction: (work) => store.transaction((tx) => work(slowly(tx))), close: () => store.close() };
}

function keyOf(keys: readonly Uint8Array[], index: number): Uint8Array {
  return keys[index] ?? new Uint8Array(16);
}
