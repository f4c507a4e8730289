/**
 * Refusals at admission, kept in the gateway's own ledger before they are told: a station that is up to no good would
 * not journal them, and the gateway has no way to the fleet log but the command line. The statement of a ticket's
 * counts carries them there; of an honest station the log has each hold at once, from its journal.
 */
import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { type Fault, isFault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import type { dialogueOpenExchange } from '../core/messages/exchanges.ts';
import { isRefusal, type Refusal, RefusalBudget, refusalKey, refusalOf } from '../core/orders/refusal.ts';
import { uuidV4 } from '../core/uuid.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import type { GatewayPorts } from './ports.ts';

type Open = HandlerOf<typeof dialogueOpenExchange>;
type Request = Parameters<Open>[0];

/** The same handler, whose refusals are kept. @throws Fault also LEDGER_UNAVAILABLE, where one could not be */
export function keeping(open: Open, ports: GatewayPorts): Open {
  const budget = new RefusalBudget();
  return async (request, sent) => {
    try {
      return await open(request, sent);
    } catch (error) {
      if (!isFault(error) || !isRefusal(error.code)) throw error;
      await keep(refusedIn(request, error, ports), budget, ports);
      throw error;
    }
  };
}

/** Numbers of those that were too many wait for the first refusal after their minute. */
async function keep(refusal: Refusal, budget: RefusalBudget, ports: GatewayPorts): Promise<void> {
  const { crypto, clock, ledger, entropy } = ports;
  const now = clock.now();
  const at = instantOf(now);
  for (const { station, minuteMs, codes } of budget.over(now)) {
    const entry = canonicalJson({ station, since: instantOf(minuteMs), counted: { ...codes } });
    const key = `refusals/${station}/${uuidV4(entropy.bytes(16))}`;
    await ledger.noteRefusal({ key, station, code: 'counted', ticket: '', eid: '', entry, at });
  }
  const key = refusalKey(refusal, crypto);
  if (budget.spend(refusal, key, now) !== 'write') return;
  const { station, code, ticket, eid } = refusal;
  const entry = canonicalJson({ ...refusal } satisfies Json);
  await ledger
    .noteRefusal({ key, station, code, ticket: ticket ?? '', eid, entry, at })
    .catch((failed: unknown) => {
      budget.forget(key);
      throw failed;
    });
}

function refusedIn(
  { station, nest, operation, epoch, body }: Request,
  { code }: Fault,
  { crypto }: GatewayPorts,
): Refusal {
  const subject = `operation ${operation ?? 'none'} epoch ${epoch ?? 'none'}`;
  return refusalOf(code, { station, nest, ticket: body.ticket, eid: body.identity.eid }, subject, crypto);
}
