/** Stands for a station that waits for a card's answer when it is killed. */
import { openPcscReader } from '../../drivers/card-reader/pcsc/pcsc.ts';
import { reset, send } from '../contracts/card-reader.contract.ts';
import { TestCommand } from './test-card.ts';

const [readerName = '', socket = ''] = process.argv.slice(2);
const reader = await openPcscReader({ readerName, socket, connectDeadlineMs: 5_000 });
await reader.play([reset]);
void reader.play([send(TestCommand.silence, 60_000)]);
setTimeout(() => process.stdout.write('waiting\n'), 100);
