/** The laboratory's own witness of its log, and the policy by which its proofs are judged. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromHex } from '../../runtime/core/bytes.ts';
import { verifierKey } from '../../runtime/core/log/note.ts';
import { ed25519KeyFile } from './keys.ts';
import type { Laboratory } from './laboratory.ts';
import type { LinePlaces } from './places.ts';
import { type Program, startProgram } from './programs.ts';

const NAME = 'laboratory.holdfast.example/witness';

export interface LaboratoryWitness {
  readonly program: Program;
  readonly policyFile: string;
}

/** Starts it at a port that is free, and writes the policy that names it. */
export async function startWitness(
  { logKey }: Pick<Laboratory, 'logKey'>,
  { root, logs }: LinePlaces,
): Promise<LaboratoryWitness> {
  const directory = join(root, 'witness');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const keyFile = join(directory, 'witness.key');
  ed25519KeyFile(keyFile);
  const log = verifierKey({ name: logKey.name, publicKey: fromHex(logKey.publicKey) }, nodeCrypto);
  const logFile = join(logs, 'witness.log');
  const program = await startProgram({
    name: 'witness',
    module: 'runtime/cli/main.js',
    config: [
      ...['witness', '--key', keyFile, '--name', NAME, '--log', log],
      ...['--state', join(directory, 'state'), '--listen', '127.0.0.1:0'],
    ],
    logFile,
    ready: '"event":"ready"',
  });
  const { url, witness } = readyLine(readFileSync(logFile, 'utf8'));
  const policyFile = join(root, 'policy');
  writeFileSync(policyFile, `log ${log}\nwitness laboratory ${witness} ${url}\nquorum laboratory\n`);
  return { program, policyFile };
}

/** Of the last of its runs. */
function readyLine(text: string): { readonly url: string; readonly witness: string } {
  const line = text.split('\n').findLast((one) => one.startsWith('{"event":"ready"'));
  return JSON.parse(line ?? '{}') as { url: string; witness: string };
}
