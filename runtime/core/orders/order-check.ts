/** What is wrong with an order that has the right form: found before officers are asked. */
import { cardProfile } from '../card/profile.ts';
import { instantMs } from '../instant.ts';
import { coveredMax } from '../messages/eid-rule.ts';
import type { Order } from '../messages/ticket.ts';

/** In words; empty for an order that can be approved. `nowMs`: milliseconds since 1970. */
export function objectionsTo(order: Order, nowMs: number): readonly string[] {
  const covered = coveredMax(order.eidRule);
  const hours = (instantMs(order.notAfter) - instantMs(order.notBefore)) / 3_600_000;
  const objections = [
    [cardProfile(order.cardProfile) === null, `the card profile ${order.cardProfile} is not known`],
    [instantMs(order.notAfter) <= nowMs, 'its validity is over'],
    [new Set(order.stations).size < order.stations.length, 'a station is named twice'],
    [covered < BigInt(order.quota), `its rule covers ${covered} EIDs, fewer than its quota`],
    [order.quota > order.unitsPerHour * 1.2 * hours, 'its quota cannot be made in its validity at its takt'],
  ] as const;
  return objections.flatMap(([holds, words]) => (holds ? [words] : []));
}
