/** How a badge comes to a command: typed with it, or by a reader or scanner that types like a keyboard. */
import { badgeNumber } from '../../core/messages/operator.ts';
import { type Arguments, isSet, type Option, textOf, usage } from '../command.ts';
import type { Means } from '../means.ts';

export const badgeOptions = {
  badge: { type: 'string', value: 'NUMBER', help: 'number of the badge' },
  reader: { type: 'boolean', help: 'takes the number from standard input, as a reader types it' },
} as const satisfies Readonly<Record<string, Option>>;

/** @throws Fault USAGE; it never repeats what was typed */
export async function badgeIn(given: Arguments, means: Means): Promise<string> {
  const typed = textOf(given, 'badge');
  if ((typed === null) === !isSet(given, 'reader'))
    throw usage('say which badge: --badge NUMBER or --reader');
  const badge = badgeNumber.safeParse(typed ?? (await means.typedLine()).trim());
  if (!badge.success) throw usage('a badge has 4 to 64 letters, digits and signs, without spaces');
  return badge.data;
}
