/** Retained status for an MES: what is in the nest, in PackML's words, and why it is held. Nobody commands through it. */
import type { StationConfig } from '../../config/station.ts';
import { fromText, toHex } from '../core/bytes.ts';
import { asFault, noteOf } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { type Channel, encodeJson, filterOf } from '../core/messages/channel.ts';
import {
  PackMl,
  type PackMlState,
  statusCounters,
  statusOnline,
  statusState,
  statusUnit,
  statusVersions,
} from '../core/messages/status.ts';
import type { Fact, FactName } from '../core/operation/facts.ts';
import { visitOf } from '../core/operation/gate.ts';
import { factOf } from '../core/operation/receipt-judge.ts';
import type { Nest } from './nest.ts';
import { type StationPorts, VERSION } from './ports.ts';

export interface Status {
  publish(nest: Nest): void;
  publishAll(nests: readonly Nest[]): void;
  offline(): Promise<void>;
}

export function createStatus(config: StationConfig, ports: StationPorts, past: readonly Fact[]): Status {
  const counters = new Map(
    config.nests.map((nest) => [nest.name, countersOf(past.filter((fact) => fact.nest === nest.name))]),
  );
  const seen = new Map<string, Fact>();
  const send = (channel: Channel, nest: string, body: object): Promise<void> => {
    const topic = filterOf(channel, { ...config.plant, station: config.station, nest });
    const payload = { at: instantOf(ports.clock.now()), version: 1, ...body };
    return ports.bus.publish(topic, encodeJson(payload), { qos: 1, retain: true }).catch((error: unknown) => {
      // The whole status is published again when the link is back.
      const fault = asFault(error, 'BUS_UNREACHABLE');
      ports.log.write('debug', 'warning', { part: 'status', code: fault.code });
    });
  };
  const publish = (nest: Nest): void => {
    const last = nest.view.facts.at(-1);
    const counted = counters.get(nest.name);
    if (last !== undefined && counted !== undefined && seen.get(nest.name) !== last)
      count(counted, last.name);
    if (last !== undefined) seen.set(nest.name, last);
    void send(statusState, nest.name, stateOf(nest));
    void send(statusUnit, nest.name, unitOf(nest, config, ports));
    if (counted !== undefined) void send(statusCounters, nest.name, { ...counted });
  };
  return {
    publish,
    publishAll: (nests) => {
      void send(statusOnline, '', { online: true });
      void send(statusVersions, '', {
        software: VERSION,
        contract: 'v1',
        ticket: config.ticketFile,
        authority: config.authority,
      });
      for (const nest of nests) {
        const last = nest.view.facts.at(-1);
        if (last !== undefined) seen.set(nest.name, last);
        publish(nest);
      }
    },
    offline: () => send(statusOnline, '', { online: false }),
  };
}

/** What the broker publishes when the station is gone. */
export function lastWill(
  config: StationConfig,
  at: string,
): { readonly topic: string; readonly payload: Uint8Array } {
  const topic = filterOf(statusOnline, { ...config.plant, station: config.station });
  return { topic, payload: encodeJson({ at, version: 1, online: false }) };
}

function stateOf(nest: Nest): object {
  const { state, since, held } = nest.view;
  const packMl = packMlOf(nest);
  return {
    state: packMl,
    number: PackMl[packMl],
    step: state,
    since: instantOf(since),
    reason:
      held === null
        ? null
        : { ...noteOf(held), title: held.definition.title, remedy: held.definition.remedy },
  };
}

/** Held: ours; Suspended: the outside. */
function packMlOf(nest: Nest): PackMlState {
  const { state, held } = nest.view;
  if (held !== null) return held.definition.blame === 'own' ? 'Held' : 'Suspended';
  return state === 'vacant' ? 'Idle' : 'Execute';
}

function unitOf(nest: Nest, config: StationConfig, ports: StationPorts): object {
  const visit = visitOf(nest.view.facts);
  const eid = factOf(visit, 'identified')?.identity.eid ?? null;
  return {
    present: visit.length > 0,
    eidEnd: eid?.slice(-4) ?? null,
    eidHash:
      eid === null ? null : toHex(ports.crypto.sha256(fromText(`${config.statusKey}/${eid}`))).slice(0, 16),
    operation: null,
    epoch: null,
  };
}

type Counters = ReturnType<typeof countersOf>;

function countersOf(facts: readonly Fact[]) {
  const counters = { consumed: 0, processed: 0, defective: 0, interrupted: 0, holds: 0, resumed: 0 };
  for (const fact of facts) count(counters, fact.name);
  return counters;
}

function count(counters: { -readonly [K in keyof Counters]: number }, name: FactName): void {
  if (name === 'arrived') counters.consumed += 1;
  if (name === 'released') counters.processed += 1;
  if (name === 'diverted') counters.defective += 1;
  if (name === 'interrupted') counters.interrupted += 1;
  if (name === 'held') counters.holds += 1;
  if (name === 'resumed') counters.resumed += 1;
}
