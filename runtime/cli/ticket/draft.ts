/** `holdfast ticket draft`: an order to fill in, and whether one that is filled in can be approved. */
import { orderHash } from '../../core/messages/ticket.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet } from '../command.ts';
import { readOrder } from './order-file.ts';
import { orderText } from './order-text.ts';

const DAY_MS = 86_400_000;

export const ticketDraftCommand: Command = {
  name: 'ticket draft',
  summary: 'prints an order to fill in; with a file checks it and says what officers would approve',
  operands: '[ORDER]',
  operandsMax: 1,
  options: {},
  notes: ['An EID rule is { "from", "to" }, { "prefix" } or { "list" }, always without check digits.'],
  examples: ['holdfast ticket draft > order.json', 'holdfast ticket draft order.json'],
  run: async (given, means) => {
    const [file] = given.operands;
    if (file === undefined) {
      means.print(JSON.stringify(example(means.now()), null, 2));
      return ExitCode.done;
    }
    const order = readOrder(file, means);
    const hash = orderHash(order, means.crypto);
    if (isSet(given, 'json')) means.print(JSON.stringify({ hash, order }));
    else for (const line of orderText(order, hash)) means.print(line);
    return ExitCode.done;
  },
};

/** As good as an order that nobody has thought about: a laboratory's, for one station. */
function example(nowMs: number) {
  const day = (days: number): string =>
    new Date(nowMs + days * DAY_MS).toISOString().replace(/T.*/, 'T00:00:00Z');
  return {
    ticket: 'ORDER-1',
    product: 'product',
    batch: 'BATCH-1',
    productionLine: 'Line-1',
    issuer: 'line-1',
    cardProfile: 'holdfast-virtual',
    eidRule: { from: '890490320000000000000000000000', to: '890490320000000000000000000999' },
    quota: 1000,
    unitsPerHour: 300,
    stations: ['station-1'],
    generation: 1,
    keyVersion: 0x31,
    profile: 'laboratory',
    notBefore: day(0),
    notAfter: day(7),
  };
}
