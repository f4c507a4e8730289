/** A station without jig, journal and backend: it plays dialogues to virtual chips, and signs its own reservations. */
import { randomUUID } from 'node:crypto';
import { busIdentity, trustedFrom } from '../../config/load.ts';
import { openMqttBus } from '../../drivers/bus/mqtt.ts';
import { clientSecureContext } from '../../drivers/bus/secure-context.ts';
import { createVirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openKernelEntropy } from '../../drivers/entropy/kernel.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import { Fault } from '../../runtime/core/faults.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { hashOf, open, seal } from '../../runtime/core/messages/envelope.ts';
import { dialogueContinueExchange, dialogueOpenExchange } from '../../runtime/core/messages/exchanges.ts';
import { type Reservation, reservation } from '../../runtime/core/messages/receipts.ts';
import { openTicket } from '../../runtime/core/messages/ticket.ts';
import type { CardIdentity } from '../../runtime/core/operation/facts.ts';
import type { CardReader, Signer } from '../../runtime/core/ports.ts';
import { uuidV4 } from '../../runtime/core/uuid.ts';
import { createRequester } from '../../runtime/exchange/requester.ts';
import { identify } from '../../runtime/station/identification.ts';
import { personalize } from '../../runtime/station/personalization.ts';
import type { Means, Task } from '../../runtime/station/task.ts';
import type { BusIdentity } from '../laboratory/certificates.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';

export interface BareStationOptions {
  readonly laboratory: Laboratory;
  readonly broker: { readonly host: string; readonly port: number };
  readonly ticket: string;
  readonly vendorMaster: Uint8Array;
  readonly bus: BusIdentity;
  readonly envelope: Signer;
}

export interface BareStation extends AsyncDisposable {
  /** @throws Fault unless the gateway confirms the unit */
  personalize(unit: number, nest: string): Promise<void>;
}

const STATION = 'station-1';

export async function openBareStation(options: BareStationOptions): Promise<BareStation> {
  const { laboratory, broker, ticket } = options;
  const entropy = openKernelEntropy();
  const common = { clock: openSystemClock(), entropy, crypto: nodeCrypto, log: createMemoryLog(100) };
  const trusted = trustedFrom([...laboratory.trusted]);
  const bus = await openMqttBus({
    host: broker.host,
    port: broker.port,
    servername: 'broker',
    clientId: STATION,
    secureContext: clientSecureContext(busIdentity(options.bus)),
    clean: true,
    sessionExpirySeconds: 0,
    keepaliveSeconds: 10,
    connectDeadlineMs: 5_000,
  });
  const failpoint = (): void => undefined;
  const kinds = [dialogueOpenExchange, dialogueContinueExchange];
  const asking = { ...common, bus, signer: options.envelope, trusted, failpoint };
  const requester = await createRequester(STATION, kinds, asking);
  await new Promise<void>((resolve) => bus.onLink(({ up }) => (up ? resolve() : undefined)));
  const backend = await openFileSigner(laboratory.backend.receiptKeyFile);
  const order = openTicket(ticket, { station: STATION, nowMs: Date.now() }, trusted, nodeCrypto);
  return {
    personalize: async (unit, nest) => {
      const reader = readerOf(unit, options.vendorMaster);
      const identity = await identify(reader, order, nodeCrypto);
      const receipt = await seal(reservation, reservationOf(identity, nest), backend, nodeCrypto);
      const reserved = open(reservation, receipt, trusted, nodeCrypto).payload;
      const ports = { ...asking, ticket, reader: () => reader };
      const task = { visit: { nest }, isOver: () => false, tell: async () => true };
      const done = await personalize({ ports, requester } as unknown as Means, task as unknown as Task, {
        identity,
        receipt,
        reserved,
      });
      if (done?.kind !== 'confirmed')
        throw new Fault('UNEXPECTED', {
          unit,
          why: done?.kind === 'verdict' ? done.fault.code : 'no outcome',
        });
    },
    [Symbol.asyncDispose]: () => bus.close(),
  };

  function reservationOf({ eid, seFingerprint }: CardIdentity, nest: string): Reservation {
    return {
      ...{ operation: uuidV4(entropy.bytes(16)), epoch: 1, station: STATION, nest, eid, seFingerprint },
      ticket: order.ticket,
      ticketHash: hashOf(ticket, nodeCrypto),
      attempt: randomUUID(),
      generation: order.generation,
      keyVersion: order.keyVersion,
      appearance: 'first',
      reservedAt: instantOf(Date.now()),
    };
  }
}

function readerOf(unit: number, transportMaster: Uint8Array): CardReader {
  const { transportKeyVersion } = cardProfiles['holdfast-virtual'];
  const state = freshChip({ eid: eidOfIndex(unit), index: unit, transportMaster, transportKeyVersion });
  const card = createVirtualSe({ state, entropy: openKernelEntropy() });
  return createSimulatedReader({ clock: openSystemClock(), card: () => card, commandMs: 0, resetMs: 0 });
}
