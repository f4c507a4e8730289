/**
 * Talks to the gate controller through the extension: asks, sends releases, hears reports. It judges nothing
 * and has no key: a release goes down as it came, a report goes up as it was made.
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { Fault } from '../../../runtime/core/faults.ts';
import type { ControllerReport, Release } from '../../../runtime/core/gate/release.ts';
import {
  type BoardMessage,
  decodeBoardMessage,
  encodeHostMessage,
  type HostMessage,
  QUERY_MAX,
} from '../extension.ts';
import type { JigDeadlines } from './options.ts';

export interface Identity {
  readonly controller: string;
  readonly nest: string;
  readonly version: number;
}

export interface GateClient {
  /** Bytes between `F0 01` and `F7`. */
  hear(content: Bytes): void;
  /** Null when nobody answers. */
  who(): Promise<Identity | null>;
  /** @throws Fault JIG_LINK_LOST */
  report(): Promise<ControllerReport>;
  /** Resolves with LEFT. @throws Fault GATE_REFUSED, GATE_CLOSED, JIG_LINK_LOST */
  open(release: Release): Promise<ControllerReport>;
  stop(fault: Fault): void;
}

export interface GateClientOptions {
  readonly deadlines: JigDeadlines;
  readonly send: (bytes: Uint8Array) => void;
  /** Goes on over connections, so that a late answer of an older one is nobody's answer. */
  readonly nextQuery: () => number;
  readonly onReport: (report: ControllerReport) => void;
}

interface Opening {
  readonly release: Release;
  readonly query: number;
  accepted: boolean;
  readonly resolve: (report: ControllerReport) => void;
  readonly reject: (fault: Fault) => void;
}

/** Questions change nothing, so they may be repeated; a release never is. */
const ASK_TRIES = 3;
/** From OPEN to the controller's word that it obeys or refuses. */
const JUDGE_MS = 500;

export function createQueryNumbers(first: number): () => number {
  let last = first;
  return () => {
    last = (last % QUERY_MAX) + 1;
    return last;
  };
}

export function createGateClient(options: GateClientOptions): GateClient {
  const asked = new Map<number, (message: BoardMessage | null) => void>();
  const openings = new Set<Opening>();
  let identity: Identity | null = null;
  let stopped: Fault | null = null;

  const ask = (kind: 'status' | 'who', withinMs: number): Promise<BoardMessage | null> =>
    new Promise((resolve) => {
      const query = options.nextQuery();
      const end = (message: BoardMessage | null): void => {
        clearTimeout(late);
        asked.delete(query);
        resolve(message);
      };
      const late = setTimeout(() => end(null), withinMs);
      asked.set(query, end);
      options.send(encodeHostMessage({ kind, query }));
    });
  const askOften = async (kind: 'status' | 'who', withinMs: number): Promise<BoardMessage | null> => {
    for (let attempt = 0; attempt < ASK_TRIES && stopped === null; attempt++) {
      const message = await ask(kind, withinMs / ASK_TRIES);
      if (message !== null) return message;
    }
    return null;
  };

  return {
    hear: (content) => {
      const message = decodeBoardMessage(content);
      if (message === null || stopped !== null) return;
      if (message.kind === 'report' && identity !== null) {
        const report = { ...message.report, controller: identity.controller, nest: identity.nest };
        for (const opening of [...openings]) settle(opening, report, message.query);
        options.onReport(report);
      }
      asked.get(message.query)?.(message);
    },
    who: async () => {
      const message = await askOften('who', options.deadlines.reportMs);
      if (message?.kind !== 'identity') return null;
      identity = message;
      return identity;
    },
    report: async () => {
      const message = await askOften('status', options.deadlines.reportMs);
      if (stopped !== null) throw stopped;
      if (message?.kind !== 'report' || identity === null)
        throw new Fault('JIG_LINK_LOST', { waitsFor: 'report' });
      return { ...message.report, controller: identity.controller, nest: identity.nest };
    },
    open: async (release) => {
      if (stopped !== null) throw stopped;
      return begin(options, openings, release);
    },
    stop: (fault) => {
      stopped = fault;
      for (const end of [...asked.values()]) end(null);
      for (const opening of [...openings]) opening.reject(fault);
    },
  };
}

function begin(
  options: GateClientOptions,
  openings: Set<Opening>,
  release: Release,
): Promise<ControllerReport> {
  return new Promise((resolve, reject) => {
    const query = options.nextQuery();
    const end = (): void => {
      clearTimeout(unjudged);
      clearTimeout(late);
      openings.delete(opening);
    };
    const opening: Opening = {
      release,
      query,
      accepted: false,
      resolve: (report) => {
        end();
        resolve(report);
      },
      reject: (fault) => {
        end();
        reject(fault);
      },
    };
    const silent = (waitsFor: string): void => opening.reject(new Fault('JIG_LINK_LOST', { waitsFor }));
    const unjudged = setTimeout(() => opening.accepted || silent('answer to a release'), JUDGE_MS);
    const late = setTimeout(() => silent('unit to leave'), options.deadlines.leaveMs);
    openings.add(opening);
    const message: HostMessage = { kind: 'open', query, release };
    options.send(encodeHostMessage(message));
  });
}

/** What a report means for a release under way. The same number twice is the controller's answer to it. */
function settle(opening: Opening, report: ControllerReport, query: number): void {
  const { counter, arrival } = opening.release;
  const { reason } = report;
  if (query === opening.query) {
    if (report.kind === 'refused')
      opening.reject(new Fault('GATE_REFUSED', { reason, nest: report.nest, arrival, counter }));
    else opening.accepted = true;
  } else if (report.kind === 'left' && report.left.counter === counter && report.left.arrival === arrival)
    opening.resolve(report);
  else if (report.kind === 'closed' && reason === 'reset')
    opening.reject(new Fault('JIG_LINK_LOST', { waitsFor: 'unit to leave', reason }));
  else if (report.kind === 'closed' && report.obeyed === counter)
    opening.reject(new Fault('GATE_CLOSED', { reason, nest: report.nest, arrival, counter }));
}
