/**
 * Talks to the gate controller through the extension: asks, sends releases, hears reports. It judges nothing
 * and has no key: a release goes down as it came, a report goes up as it was made.
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { Fault } from '../../../runtime/core/faults.ts';
import type { ControllerReport, Release } from '../../../runtime/core/gate/release.ts';
import { type BoardMessage, decodeBoardMessage, encodeHostMessage, QUERY_MAX } from '../extension.ts';
import { createOpenings, refusal } from './openings.ts';
import type { JigDeadlines } from './options.ts';

export interface Identity {
  readonly controller: string;
  readonly nest: string;
  readonly version: number;
}

/** Whoever judges releases at this board's gates. */
export interface Gate {
  /** @throws Fault JIG_LINK_LOST */
  report(): Promise<ControllerReport>;
  /** Resolves with LEFT. @throws Fault GATE_REFUSED, GATE_CLOSED, JIG_LINK_LOST */
  open(release: Release): Promise<ControllerReport>;
  stop(fault: Fault): void;
}

export interface GateClient extends Gate {
  /** Bytes between `F0 01` and `F7`. */
  hear(content: Bytes): void;
  /** Null when nobody answers. */
  who(): Promise<Identity | null>;
}

export interface GateClientOptions {
  readonly deadlines: JigDeadlines;
  readonly send: (bytes: Uint8Array) => void;
  /** Goes on over connections, so that a late answer of an older one is nobody's answer. */
  readonly nextQuery: () => number;
  readonly onReport: (report: ControllerReport) => void;
}

/** Questions change nothing, so they may be repeated; a release never is. */
const ASK_TRIES = 3;

export function createQueryNumbers(first: number): () => number {
  let last = first;
  return () => {
    last = (last % QUERY_MAX) + 1;
    return last;
  };
}

export function createGateClient(options: GateClientOptions): GateClient {
  const asked = new Map<number, (message: BoardMessage | null) => void>();
  const openings = createOpenings(options.deadlines.leaveMs);
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
        openings.hear(report, message.query);
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
      const { tag } = release;
      // The wire has no form for it, and no gate controller obeys a release without a tag.
      if (tag === null) throw refusal(release, 'tag-wrong');
      const query = options.nextQuery();
      return openings.begin(release, query, () =>
        options.send(encodeHostMessage({ kind: 'open', query, release: { ...release, tag } })),
      );
    },
    stop: (fault) => {
      stopped = fault;
      for (const end of [...asked.values()]) end(null);
      openings.stop(fault);
    },
  };
}
