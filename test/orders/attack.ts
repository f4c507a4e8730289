/** A plant under attack: somebody has the keys of its stations and says to backend and gateway what they like. */
import assert from 'node:assert/strict';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { drawAgreementKey } from '../../drivers/crypto/agreement.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { toBase64 } from '../../runtime/core/bytes.ts';
import type { FaultCode } from '../../runtime/core/faults.ts';
import type { ControllerReport } from '../../runtime/core/gate/release.ts';
import { signReport } from '../../runtime/core/gate/tag.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { payloadOf } from '../../runtime/core/messages/envelope.ts';
import { dialogueOpenExchange, reserveExchange } from '../../runtime/core/messages/exchanges.ts';
import { type Reservation, reservation } from '../../runtime/core/messages/receipts.ts';
import type { Order } from '../../runtime/core/messages/ticket.ts';
import { uuidV4 } from '../../runtime/core/uuid.ts';
import { simulatedTicket } from '../../scripts/simulation/parties.ts';
import { usualSupply } from '../../scripts/simulation/supply.ts';
import type { World } from '../../scripts/simulation/world.ts';
import { hashOfText } from '../core/samples.ts';
import { ask, pass, watchedWorld } from '../simulation/by-hand.ts';

const entropy = createSimulatedEntropy('attacks');

/** Two stations at rest. */
export async function quietPlant(): Promise<World> {
  return (await watchedWorld({ seed: 'attacked', stations: 2, units: 0, quota: 3 })).world;
}

/** A ticket that is as good as can be, but for what is changed in its order. */
export function goodTicket(world: World, changes: Partial<Order> = {}): Promise<string> {
  const stations = ['station-1', 'station-2'];
  const order = { stations, quota: 3, nowMs: world.clock.now(), supply: usualSupply, changes };
  return simulatedTicket(world.parties, order);
}

export interface Claiming {
  readonly ticket: string;
  /** Which chip. */
  readonly unit: number;
  readonly arrival: number;
  /** 1 by default. */
  readonly station?: number;
  readonly attempt?: string;
}

export function identityOf(unit: number) {
  return {
    eid: eidOfIndex(unit),
    seFingerprint: hashOfText(`chip ${unit}`),
    atr: '3b00',
    keyVersions: [0x30],
  };
}

/** The gate controller's word, as the real one would give it. */
export function reportOf(
  { parties }: Pick<World, 'parties'>,
  station: number,
  arrival: number,
): ControllerReport {
  const report: Omit<ControllerReport, 'mac'> = {
    kind: 'arrived',
    reason: 'none',
    controller: `gate-${station}`,
    nest: 'a',
    arrival,
    gate: 'closed',
    obeyed: 0,
    left: { arrival: 0, counter: 0, lane: 'good' },
  };
  return signReport(report, parties.tagKeys[station - 1] ?? assert.fail('no key'), nodeCrypto);
}

export interface Reserved {
  readonly refused: FaultCode | null;
  /** Empty where it was refused. */
  readonly jws: string;
  readonly receipt: Reservation | null;
}

export async function reserve(
  world: World,
  { ticket, unit, arrival, station = 1, attempt }: Claiming,
): Promise<Reserved> {
  const { refused, answer } = await ask(world, station, reserveExchange, {
    body: {
      attempt: attempt ?? uuidV4(entropy.bytes(16)),
      ticket,
      identity: identityOf(unit),
      report: reportOf(world, station, arrival),
    },
  });
  const jws = answer?.reservation ?? '';
  return { refused, jws, receipt: jws === '' ? null : payloadOf(reservation, jws) };
}

export interface Opening {
  readonly ticket: string;
  readonly reserved: Reserved;
  readonly station?: number;
  readonly nest?: string;
  readonly unit?: number;
}

/** What the gateway says to a dialogue; null when it begins one. */
export async function openDialogue(
  world: World,
  { ticket, reserved, station = 1, nest = 'a', unit }: Opening,
): Promise<FaultCode | null> {
  const receipt = reserved.receipt ?? assert.fail('nothing is reserved');
  const { eid, seFingerprint } = receipt;
  const identity = { eid, seFingerprint, atr: '3b00', keyVersions: [0x30] };
  const { refused } = await ask(world, station, dialogueOpenExchange, {
    nest,
    binding: { operation: receipt.operation, epoch: receipt.epoch },
    body: {
      ticket,
      reservation: reserved.jws,
      identity: unit === undefined ? identity : identityOf(unit),
      listKey: toBase64(drawAgreementKey(entropy).publicKey),
    },
  });
  return refused;
}

/** Lets exactly this much time pass, whether anything happens in it or not. */
export async function later(world: World, ms: number): Promise<void> {
  world.clock.after(ms, () => undefined);
  await pass(world, ms);
}

/** The refusals in the fleet log: `TICKET_INVALID station-1 SIM-1`. */
export function refusalsInLog(world: World): readonly string[] {
  return world.fleet.tables.leaves
    .all()
    .map((leaf) => readLeaf(leaf.entry))
    .filter((leaf) => leaf?.kind === 'refusal')
    .map((leaf) => `${leaf?.body.code} ${leaf?.body.station} ${leaf?.body.ticket}`);
}

/** The refusals in the gateway's ledger, likewise. */
export function refusalsInLedger(world: World): readonly string[] {
  return world.ledger.tables.refusals
    .all()
    .map(({ code, station, ticket }) => `${code} ${station} ${ticket}`);
}

/** What may give a unit anything: operations, dialogues, certificates. */
export function given(world: World): {
  readonly operations: number;
  readonly dialogues: number;
  readonly certificates: number;
} {
  return {
    operations: world.fleet.tables.operations.all().length,
    dialogues: world.ledger.tables.dialogues.all().length,
    certificates: world.ledger.tables.certificates.all().length,
  };
}
