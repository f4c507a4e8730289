/** What the gateway does about orders when it is instructed: it states what its ledger knows of a ticket. */
import type { GatewayConfig } from '../../../config/gateway.ts';
import { instantOf } from '../../core/instant.ts';
import {
  COUNTED_REFUSALS_MAX,
  COUNTED_UNITS_MAX,
  listRefusalsInstruction,
  ticketCounts,
  ticketCountsInstruction,
} from '../../core/messages/close-out.ts';
import { seal } from '../../core/messages/envelope.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { refusalsHash } from '../../core/orders/refusal.ts';
import type { Signer } from '../../core/ports.ts';
import type { GatewayPorts } from '../ports.ts';

/** @param signer the gateway's key of envelopes */
export function orderInstructions(
  config: GatewayConfig,
  ports: GatewayPorts,
  signer: Signer,
): readonly InstructionHandler[] {
  return [
    instructionHandler(ticketCountsInstruction, async ({ ticket, after }) => {
      const { ledger, clock, crypto } = ports;
      const first = after === '';
      const [found, refusals, refused, hash] = await Promise.all([
        ledger.ticketUnits(ticket, after, COUNTED_UNITS_MAX + 1),
        first ? ledger.refusalsOf(ticket, '', COUNTED_REFUSALS_MAX) : [],
        first ? ledger.countRefusals(ticket) : [],
        first ? hashOfRefusals(ticket, ports) : '',
      ]);
      const units = found.slice(0, COUNTED_UNITS_MAX);
      const complete = found.length === units.length;
      const payload = {
        ticket,
        gateway: config.gateway,
        after,
        units: [...units],
        complete,
        refusals: [...refusals],
        refused: [...refused],
        refusalsHash: hash,
        countedAt: instantOf(clock.now()),
      };
      const statement = await seal(ticketCounts, payload, signer, crypto);
      return { statement, next: complete ? null : (units.at(-1)?.operation ?? null) };
    }),
    instructionHandler(listRefusalsInstruction, async ({ ticket, after }) => ({
      refusals: [...(await ports.ledger.refusalsOf(ticket, after, COUNTED_REFUSALS_MAX))],
    })),
  ];
}

const REFUSALS_PER_READ = 1_000;

/** Page by page: there may be as many as somebody liked to be refused, twenty a minute for each station. */
async function hashOfRefusals(ticket: string, { ledger, crypto }: GatewayPorts): Promise<string> {
  let hash = '';
  for (let after = ''; ; ) {
    const rows = await ledger.refusalsOf(ticket, after, REFUSALS_PER_READ);
    hash = refusalsHash(hash, rows, crypto);
    const last = rows.at(-1);
    if (last === undefined || rows.length < REFUSALS_PER_READ) return hash;
    after = last.key;
  }
}
