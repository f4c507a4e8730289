/** The told mark of a simulated gateway; it outlives the gateway's program, as a file does. */
import type { MarkMemory } from '../../runtime/core/store/mark.ts';

export function createInMemoryMark(): MarkMemory {
  let told = 0;
  return {
    get told() {
      return told;
    },
    remember: async (mark) => {
      told = Math.max(told, mark);
    },
  };
}
