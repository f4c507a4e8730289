/** Refusals of reservations, as leaves of the fleet log: written before the refusal is told. */
import { asFault, type Fault, isFault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { type Leaf, leafOf } from '../core/log/leaf.ts';
import type { reserveExchange } from '../core/messages/exchanges.ts';
import {
  type CountedRefusals,
  isRefusal,
  type Refusal,
  RefusalBudget,
  refusalKey,
  refusalOf,
} from '../core/orders/refusal.ts';
import { uuidV7 } from '../core/uuid.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import type { BackendPorts } from './ports.ts';
import type { Sequencer } from './sequencer.ts';

type Reserve = HandlerOf<typeof reserveExchange>;
type Request = Parameters<Reserve>[0];

/** How long after a minute with too many refusals their number is written. */
const COUNT_MS = 60_000;

/** The same handler, whose refusals are events. @throws Fault also STORE_UNAVAILABLE, where a refusal could not be
 * written: it is not told then, and nothing was given either */
export function noting(reserve: Reserve, ports: BackendPorts, sequencer: Sequencer): Reserve {
  const budget = new RefusalBudget();
  let waiting = false;
  const flush = async (): Promise<void> => {
    for (const counted of budget.over(ports.clock.now())) await write(sequencer, countLeaf(counted, ports));
  };
  const flushLater = (): void => {
    if (waiting) return;
    waiting = true;
    ports.clock.after(COUNT_MS, () => {
      waiting = false;
      flush().catch((error: unknown) =>
        ports.log.write('warn', 'fault', {
          code: asFault(error, 'UNEXPECTED').code,
          lost: 'counted refusals',
        }),
      );
    });
  };
  return async (request, sent) => {
    try {
      return await reserve(request, sent);
    } catch (error) {
      if (!isFault(error) || !isRefusal(error.code)) throw error;
      const refusal = refusedIn(request, error, ports);
      const key = refusalKey(refusal, ports.crypto);
      const todo = budget.spend(refusal, key, ports.clock.now());
      if (todo === 'counted') flushLater();
      if (todo === 'write')
        await write(sequencer, refusalLeaf(refusal, key, ports)).catch((failed: unknown) => {
          budget.forget(key);
          throw failed;
        });
      throw error;
    }
  };
}

function refusedIn({ station, nest, body }: Request, { code }: Fault, { crypto }: BackendPorts): Refusal {
  const { ticket, identity, report } = body;
  const subject = `${report.controller} arrival ${report.arrival}`;
  return refusalOf(code, { station, nest, ticket, eid: identity.eid }, subject, crypto);
}

function refusalLeaf(refusal: Refusal, key: string, { clock }: BackendPorts): Leaf {
  return leafOf('refusal', key, instantOf(clock.now()), { ...refusal });
}

function countLeaf({ station, minuteMs, codes }: CountedRefusals, { clock, entropy }: BackendPorts): Leaf {
  const now = clock.now();
  const key = `refusals/${station}/${uuidV7(now, entropy.bytes(10))}`;
  return leafOf('refusal', key, instantOf(now), {
    station,
    since: instantOf(minuteMs),
    counted: { ...codes },
  });
}

/** Once: this may be a repetition after a restart, or of another backend. */
async function write(sequencer: Sequencer, leaf: Leaf): Promise<void> {
  await sequencer.add(async (draft) => {
    if (!draft.has(leaf.key) && (await draft.tx.leafByKey(leaf.key)) === null) draft.append(leaf);
  }, false);
}
