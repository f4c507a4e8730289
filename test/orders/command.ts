/** The command line on a simulated plant: its programs' doors, its officers' keys, the real files. */
import assert from 'node:assert/strict';
import type { World } from '../../scripts/simulation/world.ts';
import { inProcess, kept } from '../cli/support.ts';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A socket is named `gateway` or `backend`, a key by its officer. */
export function commandIn(world: World): (args: readonly string[]) => Promise<Said> {
  return (args) =>
    inProcess(args, {
      now: () => world.clock.now(),
      openSigner: async (key) =>
        kept(
          world.parties.officers.find(({ name }) => 'file' in key && name === key.file)?.signer ??
            assert.fail('no key'),
        ),
      instruct: (socket, of, body) => {
        assert.equal(socket, of.to);
        return world.instructions[of.to].instruct(of, body);
      },
    });
}
