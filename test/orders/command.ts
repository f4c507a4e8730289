/** The command line on a simulated plant: its programs' doors, its officers' keys, the real files. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import type { Means } from '../../runtime/cli/means.ts';
import { runCommandLine } from '../../runtime/cli/run.ts';
import { plain } from '../../runtime/cli/screen.ts';
import type { World } from '../../scripts/simulation/world.ts';
import { kept, nothingElse } from '../cli/support.ts';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A socket is named `gateway` or `backend`, a key by its officer. */
export function commandIn(world: World): (args: readonly string[]) => Promise<Said> {
  return async (args) => {
    const said = { out: '', err: '' };
    const unused = async () => assert.fail('nothing else is opened');
    const means: Means = {
      print: (line) => {
        said.out += `${line}\n`;
      },
      talk: (line) => {
        said.err += `${line}\n`;
      },
      paint: plain,
      version: '0.0.0',
      now: () => world.clock.now(),
      crypto: nodeCrypto,
      files: {
        exists: existsSync,
        read: (path) => readFileSync(path, 'utf8'),
        names: () => [],
        parent: dirname,
      },
      databaseUrl: null,
      ...nothingElse,
      openSigner: async (key) =>
        kept(
          world.parties.officers.find(({ name }) => 'file' in key && name === key.file)?.signer ??
            assert.fail('no key'),
        ),
      instruct: (socket, of, body) => {
        assert.equal(socket, of.to);
        return world.instructions[of.to].instruct(of, body);
      },
      openJournal: unused,
      openFleet: unused,
      openLedger: unused,
      openToken: unused,
    };
    const code = await runCommandLine(args, means);
    return { code, ...said };
  };
}
