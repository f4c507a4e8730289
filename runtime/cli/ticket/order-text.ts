/** An order in words, for the officers who are to approve it and for whoever asks later. */
import { eidRuleText } from '../../core/messages/eid-rule.ts';
import type { Order } from '../../core/messages/ticket.ts';
import { RATE_ALLOWANCE } from '../../core/orders/rate.ts';
import { columns, counted } from '../screen.ts';

const tokens = {
  production: 'production: keys in a hardware token only',
  pilot: 'pilot: a software token is allowed, and stands in every record',
  laboratory: 'laboratory: software token, known transport keys and plain gates are allowed',
} as const;

/** @param hash of the order, SHA-256 hexadecimal */
export function orderText(order: Order, hash: string): readonly string[] {
  const { unitsPerHour, stations, profile } = order;
  const most = Math.floor((unitsPerHour * RATE_ALLOWANCE.times) / RATE_ALLOWANCE.per);
  return columns([
    ['order', order.ticket],
    ['hash', hash],
    ['product', `${order.product}, batch ${order.batch}`],
    ['units', `at most ${order.quota}, ${eidRuleText(order.eidRule)}`],
    ['rate', `${counted(unitsPerHour, 'unit')} an hour; more than ${most} an hour have to wait`],
    ['line', `${order.productionLine}; ${counted(stations.length, 'station')}: ${stations.join(', ')}`],
    ['valid', `from ${order.notBefore} to ${order.notAfter}`],
    ['chips', `card profile ${order.cardProfile}`],
    ['keys', `generation ${order.generation}, under key version 0x${order.keyVersion.toString(16)}`],
    ['certificates', `by intermediate ${order.issuer}`],
    ['profile', tokens[profile]],
  ]);
}
