/** Refusals of reservations and registrations, as leaves of the fleet log: written before the refusal is told. */
import { asFault, type FaultCode, isFault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { type Leaf, leafOf } from '../core/log/leaf.ts';
import { payloadOf } from '../core/messages/envelope.ts';
import type { registerExchange, reserveExchange } from '../core/messages/exchanges.ts';
import { reservation } from '../core/messages/receipts.ts';
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
type Register = HandlerOf<typeof registerExchange>;
/** What a refusal says of a request, beside its code. */
type Named = Omit<Refusal, 'code'>;

/** How long after a minute with too many refusals their number is written. */
const COUNT_MS = 60_000;

/** Told to a station that asks for what its receipts do not give; beside what every program refuses. */
const refusalsOfRegistration: ReadonlySet<FaultCode> = new Set([
  'CONFIRMATION_INVALID',
  'UNIT_CERTIFICATE_REVOKED',
  'UNIT_RELEASED_BEFORE',
  'UNIT_REJECTED_BEFORE',
  'RELEASE_USED',
] as const);

export function notingReservations(reserve: Reserve, ports: BackendPorts, sequencer: Sequencer): Reserve {
  const named = ({ station, nest, body }: Parameters<Reserve>[0]): Named => {
    const { ticket, identity, report } = body;
    const subject = `${report.controller} arrival ${report.arrival}`;
    return namedOf({ station, nest, ticket, eid: identity.eid }, subject, ports);
  };
  return noting(reserve, { named, isRefused: isRefusal }, ports, sequencer);
}

export function notingRegistrations(register: Register, ports: BackendPorts, sequencer: Sequencer): Register {
  const named = ({ station, nest, operation, epoch, body }: Parameters<Register>[0]): Named => {
    const eid = payloadOf(reservation, body.reservation)?.eid ?? '';
    const subject = `registration of operation ${operation ?? 'none'} epoch ${epoch ?? 'none'}`;
    return namedOf({ station, nest, ticket: body.ticket, eid }, subject, ports);
  };
  // A revoked station is noted once, by itself.
  const isRefused = (code: FaultCode): boolean =>
    code !== 'STATION_REVOKED' && (isRefusal(code) || refusalsOfRegistration.has(code));
  return noting(register, { named, isRefused }, ports, sequencer);
}

interface Naming<Request> {
  readonly named: (request: Request) => Named;
  readonly isRefused: (code: FaultCode) => boolean;
}

/** The same handler, whose refusals are events. @throws Fault also STORE_UNAVAILABLE, where a refusal could not be
 * written: it is not told then, and nothing was given either */
function noting<Request, Sent, Answer>(
  handle: (request: Request, sent: Sent) => Promise<Answer>,
  { named, isRefused }: Naming<Request>,
  ports: BackendPorts,
  sequencer: Sequencer,
): (request: Request, sent: Sent) => Promise<Answer> {
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
      return await handle(request, sent);
    } catch (error) {
      if (!isFault(error) || !isRefused(error.code)) throw error;
      const refusal: Refusal = { ...named(request), code: error.code };
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

function namedOf(asked: Parameters<typeof refusalOf>[1], subject: string, { crypto }: BackendPorts): Named {
  const { code: _, ...named } = refusalOf('UNEXPECTED', asked, subject, crypto);
  return named;
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
