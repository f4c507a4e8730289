/** A fresh chip out of the table of mutants. */
import { type ChipState, freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import type { MannerName } from '../../drivers/card-reader/virtual-se/mutants/table.ts';
import { EID, TRANSPORT_MASTER } from './support.ts';

export function manneredChip(name: MannerName, at = 0): ChipState {
  return freshChip({
    eid: EID,
    index: 7,
    transportMaster: TRANSPORT_MASTER,
    transportKeyVersion: 0x30,
    manner: { name, at },
  });
}
