/** Asks for two components as the token's process does, and tells how long they are. */
import { promptHidden } from '../../drivers/token/pkcs11/ceremony/terminal.ts';

for (const custodian of ['carla', 'dario']) {
  const entered = await promptHidden(custodian, 8);
  process.stdout.write(
    `${custodian} entered ${entered.length}: ${entered.readUInt8(0)} to ${entered.at(-1)}\n`,
  );
}
