/** The told head of a simulated backend; it outlives the backend's program, as a file does. */
import type { HeadMemory, ToldHead } from '../../runtime/core/store/head.ts';

export function createInMemoryHead(): HeadMemory {
  let told: ToldHead | null = null;
  return {
    get told() {
      return told;
    },
    remember: async (head) => {
      if (told === null || head.size > told.size) told = head;
    },
  };
}
