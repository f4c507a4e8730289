/**
 * A process that puts test cards into one virtual reader: it is told `insert`, `pull` and `swap`. A vpcd message is
 * a length of two bytes, big endian, and that many bytes; the card is the TCP client.
 */
import { connect, type Socket } from 'node:net';
import { ATR, createTestCard } from './test-card.ts';

const port = Number(process.argv[2]);
let serial = 0;
let card = createTestCard(serial);
let socket: Socket | null = null;

const pull = (): void => {
  socket?.destroy();
  socket = null;
};

function insert(): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = connect({ port, host: '127.0.0.1', noDelay: true });
    socket = link;
    link.once('connect', resolve);
    link.once('error', reject);
    let buffer = Buffer.alloc(0);
    link.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= 2 && buffer.length >= 2 + buffer.readUInt16BE()) {
        const end = 2 + buffer.readUInt16BE();
        obey(link, buffer.subarray(2, end));
        buffer = buffer.subarray(end);
      }
    });
  });
}

function obey(link: Socket, message: Buffer): void {
  if (message.length === 1) {
    if (message[0] === 0x04) link.write(framed(ATR));
    else if (message[0] === 0x00) card.powerOff();
    else card.powerOn();
    return;
  }
  const answer = card.transmit(message);
  if (answer === 'pull') pull();
  else if (answer !== 'silence') link.write(framed(answer));
}

function framed(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

process.on('message', async (order: 'insert' | 'pull' | 'swap') => {
  if (order !== 'insert') pull();
  if (order === 'swap') card = createTestCard(++serial);
  if (order !== 'pull') await insert();
  process.send?.('done');
});
process.on('disconnect', () => process.exit());
process.send?.('done');
