/**
 * `npm run firmware`: builds the gate controller's firmware and says how large it is and what its hash is.
 * `-- --commission --controller NAME --nest NAME --tag-key-file FILE` writes the EEPROM of one board too.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fromHex } from '../runtime/core/bytes.ts';
import { buildFirmware, lackingCompiler } from './firmware/build.ts';
import { bootsAt, eepromImage } from './firmware/eeprom-image.ts';
import { writeIntelHex } from './firmware/intel-hex.ts';

const FLASH_BYTES = 32_768;
const RAM_BYTES = 2_048;

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'dist/firmware' },
    commission: { type: 'boolean', default: false },
    controller: { type: 'string' },
    nest: { type: 'string' },
    'tag-key-file': { type: 'string' },
    'host-timeout-ms': { type: 'string', default: '250' },
    'open-timeout-ms': { type: 'string', default: '5000' },
  },
});

function build(): void {
  const { hex, flashBytes, ramBytes } = buildFirmware();
  const path = join(values.out, 'gate.hex');
  mkdirSync(values.out, { recursive: true });
  writeFileSync(path, hex);
  process.stdout.write(
    [
      `${path}`,
      `sha256  ${createHash('sha256').update(hex).digest('hex')}`,
      `flash   ${flashBytes} of ${FLASH_BYTES} bytes`,
      `memory  ${ramBytes} of ${RAM_BYTES} bytes; the stack has the rest`,
      '',
    ].join('\n'),
  );
}

/** The file holds the tag key: its owner alone may read it, and when the board has it, it is destroyed. */
function commission(): void {
  const { controller, nest, 'tag-key-file': keyFile } = values;
  if (controller === undefined || nest === undefined || keyFile === undefined)
    throw new RangeError('--commission needs --controller, --nest and --tag-key-file');
  if ((statSync(keyFile).mode & 0o077) !== 0)
    throw new RangeError(`others may read the key file: ${keyFile}`);
  const text = readFileSync(keyFile, 'utf8').trim();
  if (!/^[0-9a-f]{32}$/i.test(text)) throw new RangeError(`not an AES-128 key in hexadecimal: ${keyFile}`);
  const image = eepromImage({
    controller,
    nest,
    tagKey: fromHex(text),
    hostTimeoutMs: Number(values['host-timeout-ms']),
    openTimeoutMs: Number(values['open-timeout-ms']),
    boots: bootsAt(Date.now()),
  });
  const path = join(values.out, `${controller}.eep`);
  writeFileSync(path, writeIntelHex(image), { mode: 0o600 });
  process.stdout.write(`${path}   holds the tag key: destroy it when the board has it\n`);
}

const lacking = lackingCompiler();
if (lacking !== null) {
  process.stderr.write(`${lacking}\n`);
  process.exitCode = 1;
} else {
  try {
    build();
    if (values.commission) commission();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
