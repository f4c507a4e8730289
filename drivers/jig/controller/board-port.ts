/** The board's end of the serial line. Like a UART it has no queue: what the line does not take is lost. */
import type { Bytes } from '../../../runtime/core/bytes.ts';

const QUEUE_BYTES_MAX = 4_096;
const BAUD_RATE = 57_600;

export interface BoardPort {
  send(bytes: Bytes): void;
  onData(handler: (bytes: Bytes) => void): void;
  /** Closes the port for so long, as an unplugged cable would. */
  hangUp(forMs: number): void;
}

/** A port that goes away ends the process: a board without its line is a board without power. */
export async function openBoardPort(path: string): Promise<BoardPort> {
  const { SerialPort } = await import('serialport');
  const handlers = new Set<(bytes: Bytes) => void>();
  let hungUp = false;

  const open = (): Promise<InstanceType<typeof SerialPort>> =>
    new Promise((resolve, reject) => {
      const opened = new SerialPort({ path, baudRate: BAUD_RATE, hupcl: false }, (error) =>
        error === null ? resolve(opened) : reject(error),
      );
      opened.on('data', (bytes: Bytes) => {
        for (const handler of handlers) handler(bytes);
      });
      opened.on('close', () => {
        if (!hungUp) process.exit(1);
      });
      opened.on('error', () => process.exit(1));
    });

  let port = await open();
  return {
    send: (bytes) => {
      if (port.isOpen && port.writableLength < QUEUE_BYTES_MAX) port.write(Buffer.from(bytes));
    },
    onData: (handler) => handlers.add(handler),
    hangUp: (forMs) => {
      hungUp = true;
      port.close(() => {
        setTimeout(() => {
          open().then(
            (opened) => {
              port = opened;
              hungUp = false;
            },
            () => process.exit(1),
          );
        }, forMs);
      });
    },
  };
}
