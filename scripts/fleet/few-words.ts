/** What the product says of a unit, in the few words of the oracle. */
import type { UnitState } from '../../runtime/core/history/unit-state.ts';
import type { Opinion } from './oracle.ts';

export function fewWords(state: UnitState): Opinion {
  return {
    life: state.life?.state ?? 'none',
    keys: state.keySets
      .map(({ keyVersion, generation, standing }) => `${keyVersion} g${generation} ${standing}`)
      .sort(),
    certificates: state.certificates.map(({ serial, standing }) => `${serial} ${standing}`).sort(),
    transport: state.transport?.standing ?? 'unknown',
    confirmations: state.custody.length,
  };
}
