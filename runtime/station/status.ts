/** Retained status for an MES: what is in the nest, in PackML's words, and why it is held. Nobody commands through it. */
import { gateKindOf, type StationConfig } from '../../config/station.ts';
import { fromText, toHex } from '../core/bytes.ts';
import { asFault, type Fault, noteOf } from '../core/faults.ts';
import { gateText } from '../core/gate/release.ts';
import { instantOf } from '../core/instant.ts';
import { type Channel, encodeJson, filterOf } from '../core/messages/channel.ts';
import { peekBinding } from '../core/messages/envelope.ts';
import {
  PackMl,
  type PackMlState,
  statusCounters,
  statusOnline,
  statusState,
  statusUnit,
  statusVersions,
} from '../core/messages/status.ts';
import { type Counters, counted, NOTHING_COUNTED } from '../core/operation/counters.ts';
import { currentAttempt, visitOf } from '../core/operation/gate.ts';
import { factOf } from '../core/operation/receipt-judge.ts';
import type { Nest } from './nest.ts';
import { type StationPorts, VERSION } from './ports.ts';

export interface Status {
  /** A fact was made durable. */
  changed(nest: Nest): void;
  /** Somebody else is in charge. */
  shiftChanged(): void;
  publishAll(nests: readonly Nest[]): void;
  offline(): Promise<void>;
}

/** A nest that works changes faster than anybody reads; holds and departures are told at once. */
const COALESCE_MS = 100;

/** @param counters of each nest, as its journal tells them @param inCharge a pseudonym, or the authority */
export function createStatus(
  config: StationConfig,
  ports: StationPorts,
  counters: ReadonlyMap<string, Counters>,
  inCharge: () => string,
): Status {
  const counts = new Map(counters);
  /** What each topic was told last, without its time. */
  const told = new Map<string, string>();
  const pending = new Set<string>();

  const send = (channel: Channel, nest: string, body: object): Promise<void> => {
    const topic = filterOf(channel, { ...config.plant, station: config.station, nest });
    const text = JSON.stringify(body);
    if (told.get(topic) === text) return Promise.resolve();
    told.set(topic, text);
    const payload = { at: instantOf(ports.clock.now()), version: 1, ...body };
    return ports.bus.publish(topic, encodeJson(payload), { qos: 1, retain: true }).catch((error: unknown) => {
      // The whole status is published again when the link is back.
      told.delete(topic);
      const fault = asFault(error, 'BUS_UNREACHABLE');
      ports.log.write('debug', 'warning', { part: 'status', code: fault.code });
    });
  };
  const sendNest = (nest: Nest): void => {
    pending.delete(nest.name);
    void send(statusState, nest.name, stateOf(nest));
    void send(statusUnit, nest.name, unitOf(nest, config, ports));
    const counters = counts.get(nest.name);
    if (counters !== undefined) void send(statusCounters, nest.name, { ...counters });
  };
  const sendVersions = (): void =>
    void send(statusVersions, '', {
      software: VERSION,
      contract: 'v1',
      ticket: config.ticketFile,
      authority: inCharge(),
      gate: gateText(gateKindOf(config)),
    });
  return {
    changed: (nest) => {
      const last = nest.view.facts.at(-1);
      if (last !== undefined)
        counts.set(nest.name, counted(counts.get(nest.name) ?? NOTHING_COUNTED, last.name));
      if (nest.view.held !== null) sendNest(nest);
      else if (!pending.has(nest.name)) {
        pending.add(nest.name);
        ports.clock.after(COALESCE_MS, () => {
          if (pending.has(nest.name)) sendNest(nest);
        });
      }
    },
    shiftChanged: () => sendVersions(),
    publishAll: (nests) => {
      told.clear();
      void send(statusOnline, '', { online: true });
      sendVersions();
      for (const nest of nests) sendNest(nest);
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
    reason: held === null ? null : { ...noteOf(held), ...wordsOf(held) },
  };
}

function wordsOf({ definition: { title, cause, remedy } }: Fault): object {
  return { title, cause, remedy };
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
  const receipt = factOf(currentAttempt(nest.view.facts), 'reserved')?.receipt;
  // Verified before it came into the journal; here it only names things.
  const reserved = receipt === undefined ? null : peekBinding(receipt);
  return {
    present: visit.length > 0,
    eidEnd: eid?.slice(-4) ?? null,
    eidHash:
      eid === null ? null : toHex(ports.crypto.sha256(fromText(`${config.statusKey}/${eid}`))).slice(0, 16),
    operation: reserved?.operation ?? null,
    epoch: reserved?.epoch ?? null,
  };
}
