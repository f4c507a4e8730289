/** What every action of the station is given: its means, and the visit that it is for. */
import { gateKindOf, type StationConfig } from '../../config/station.ts';
import { cardProfile } from '../core/card/profile.ts';
import type { ControllerReport } from '../core/gate/release.ts';
import type { TicketPayload } from '../core/messages/ticket.ts';
import type { Fact } from '../core/operation/facts.ts';
import type { Judgement } from '../core/operation/receipt-judge.ts';
import type { Requester } from '../exchange/requester.ts';
import type { Agreement } from './agreement.ts';
import type { LogMemory } from './log-memory.ts';
import type { Perform, Tell, Visit } from './nest.ts';
import type { StationPorts } from './ports.ts';
import type { Shifts } from './shifts.ts';

export interface Means {
  readonly config: StationConfig;
  readonly ports: StationPorts;
  readonly requester: Requester;
  readonly ticket: TicketPayload;
  readonly memory: LogMemory;
  readonly agreement: Agreement;
  readonly shifts: Pick<Shifts, 'receipt'>;
}

/** One action of one visit. */
export interface Task extends Pick<Parameters<Perform>[2], 'isOver'> {
  readonly visit: Visit;
  readonly inspect: boolean;
  readonly facts: readonly Fact[];
  readonly tell: Tell;
  /** What the gate controller said last; null before it spoke, and after its link was lost. */
  readonly lastReport: () => ControllerReport | null;
}

/** The dialogue's answers are gone with the last run: a new epoch, and the gateway asks the card. */
export async function startOver(_means: Means, task: Task): Promise<void> {
  void task.tell({ on: 'resume-due' });
}

/** What a request says of who is in charge: the receipt of the shift, or nothing under the authority. */
export function shiftIn({ shifts: { receipt } }: Means): { readonly shift?: string } {
  return receipt === null ? {} : { shift: receipt };
}

/** Without what was seen of the log: consistency is judged where a receipt arrives. */
export function judgement({ config, ports, ticket }: Means, { visit }: Task): Judgement {
  return {
    station: config.station,
    nest: visit.nest,
    controller: config.controller,
    cardProfile: cardProfile(ticket.cardProfile),
    gate: gateKindOf(config),
    trusted: ports.trusted,
    logKey: ports.logKey,
    crypto: ports.crypto,
    known: null,
  };
}
