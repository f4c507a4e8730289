/** Answers small questions over HTTP at one address: bounded in length, number and time. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpAnswer, HttpDoor, HttpQuestion } from '../../runtime/core/ports.ts';

/** Longest body in bytes: a checkpoint with a hundred signatures and its proof are a fifth of it. */
const BODY_BYTES_MAX = 65_536;
const CONNECTIONS_MAX = 64;
/** Longest time from the first byte of a question to its last. */
const QUESTION_DEADLINE_MS = 10_000;

type Answer = (question: HttpQuestion) => Promise<HttpAnswer>;

/** @param port 0: any that is free */
export function openHttpDoor(host: string, port: number): HttpDoor {
  let server: Server | null = null;
  return {
    serve: async (answer) => {
      const opened = createServer((request, response) => {
        void receive(request, response, answer);
      });
      server = opened;
      opened.maxConnections = CONNECTIONS_MAX;
      opened.requestTimeout = QUESTION_DEADLINE_MS;
      opened.headersTimeout = QUESTION_DEADLINE_MS;
      await new Promise<void>((resolve, reject) => {
        opened.once('error', reject);
        opened.listen(port, host, resolve);
      });
      const { port: own } = opened.address() as AddressInfo;
      return `http://${host.includes(':') ? `[${host}]` : host}:${own}`;
    },
    close: async () => {
      const closing = server;
      if (closing === null) return;
      closing.closeAllConnections();
      await new Promise<void>((resolve) => closing.close(() => resolve()));
    },
  };
}

async function receive(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  // An error of the connection is followed by its end, which is all that matters of a client.
  request.on('error', () => response.destroy());
  try {
    const body = await bodyOf(request);
    const { method = '', url = '' } = request;
    const [path = ''] = url.split('?');
    if (body === null) send(response, { status: 413, type: 'text/plain', body: 'too long\n' });
    else send(response, await answer({ method, path, body }));
  } catch {
    // What went wrong is the program's to tell, not the client's to read.
    send(response, { status: 500, type: 'text/plain', body: 'not now\n' });
  }
}

/** Null when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | null> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > BODY_BYTES_MAX) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function send(response: ServerResponse, { status, type, body }: HttpAnswer): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { 'content-type': type, connection: 'close' });
  response.end(body);
}
