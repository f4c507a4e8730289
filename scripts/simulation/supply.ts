/** What the chips of a simulated plant arrive with, and what they get there. */
import type { z } from 'zod';
import type { gatewayConfig } from '../../config/gateway.ts';
import type { ChipProfile } from '../../drivers/card-reader/virtual-se/chip.ts';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { type CardProfileName, cardProfiles } from '../../runtime/core/card/profile.ts';
import type { TicketPayload } from '../../runtime/core/messages/ticket.ts';
import type { SimulatedParties } from './parties.ts';

export interface Supply {
  readonly cardProfile: CardProfileName;
  readonly ticketProfile: TicketPayload['profile'];
  readonly transport: NonNullable<z.input<typeof gatewayConfig>['transport']>;
  /** Vendors' masters and fixed sets in the gateway's token, beside the plant's own masters. */
  readonly masters: Readonly<Record<string, Bytes>>;
  /** What the maker puts on a chip; null: what the EID-KDF makes of the plant's transport master.
   * @param data key diversification data of the chip, 10 bytes */
  readonly transportSet:
    | ((data: Bytes) => { readonly enc: Bytes; readonly mac: Bytes; readonly dek: Bytes })
    | null;
}

/** AES-128 chips with keys of their own, for a laboratory. */
export const usualSupply: Supply = {
  cardProfile: 'holdfast-virtual',
  ticketProfile: 'laboratory',
  transport: {},
  masters: {},
  transportSet: null,
};

/** Everything that the gateway's token derives from. */
export function mastersOf(parties: SimulatedParties, supply: Supply): Readonly<Record<string, Bytes>> {
  return {
    'transport-master': parties.transportMaster,
    'transport-master-aes-256': parties.longTransportMaster,
    'mdk-1': parties.fleetMaster,
    'mdk-1-aes-256': parties.longFleetMaster,
    ...supply.masters,
  };
}

/** How the virtual chips differ that each card profile is for. */
const chipProfiles: Readonly<Record<CardProfileName, Partial<ChipProfile>>> = {
  'holdfast-virtual': { putKeyForm: 'inner-length' },
  'holdfast-virtual-aes-256': { putKeyForm: 'inner-length' },
  'holdfast-virtual-s16': { iParameter: 0x71 },
  'holdfast-virtual-block-only': { putKeyForm: 'block-only' },
  'holdfast-virtual-chained': { chaining: 'protect-then-chain' },
  'holdfast-virtual-se05x': {
    iParameter: 0x60,
    applet: 'se05x',
    appletAid: 'a0000003965453000000010300000000',
  },
  'holdfast-virtual-keys-only': { applet: 'none' },
  'holdfast-virtual-clear-identity': { identityInSession: false },
  'holdfast-virtual-two-sets': { keySetsMax: 2 },
  'holdfast-virtual-keys-once': { takesOneSet: true },
};

/** What the chips' maker makes them from. */
export function chipKeysOf(parties: SimulatedParties, { cardProfile }: Supply) {
  const { transportKeyVersion, transportAlgorithm } = cardProfiles[cardProfile];
  const common = { transportKeyVersion, profile: chipProfiles[cardProfile] };
  return transportAlgorithm === 'aes-128'
    ? ({ ...common, transportMaster: parties.transportMaster, keyBytes: 16 } as const)
    : ({ ...common, transportMaster: parties.longTransportMaster, keyBytes: 32 } as const);
}
