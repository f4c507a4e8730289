/**
 * `npm run memory`: whole units through a real gateway, and what memory it and its token's process have meanwhile.
 * Chips and station are this process, so that nothing of theirs is counted. `-- --units N --every N --recycle MIB --json`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureMemory, type Weighing } from './memory/gateway-memory.ts';

const { values } = parseArgs({
  options: {
    units: { type: 'string', default: '100000' },
    every: { type: 'string', default: '1000' },
    recycle: { type: 'string', default: '250' },
    json: { type: 'boolean', default: false },
  },
});
const directory = mkdtempSync(join(tmpdir(), 'holdfast-memory-'));
const shown = ({ units, gatewayMiB, tokenMiB, tokenProcesses, perSecond }: Weighing): string =>
  `${String(units).padStart(7)} units  gateway ${gatewayMiB.toFixed(1).padStart(6)} MiB  token ` +
  `${tokenMiB.toFixed(1).padStart(6)} MiB  its process is number ${tokenProcesses}  ${perSecond.toFixed(0)} units/s\n`;
try {
  const report = await measureMemory({
    directory,
    units: Number(values.units),
    every: Number(values.every),
    recycleGrowthMiB: Number(values.recycle),
    onWeighing: (weighing) => {
      if (!values.json) process.stdout.write(shown(weighing));
    },
  });
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
