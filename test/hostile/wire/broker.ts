/** A small MQTT 5 broker over TLS that a test may make hostile: it shows each packet to a manner before it obeys. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { matches, parseFilter, type TopicFilter } from '../../../drivers/bus/topic-filter.ts';
import {
  clientIdOf,
  connack,
  createPacketCutter,
  filtersOf,
  type Packet,
  PacketType,
  packetIdOf,
  pingresp,
  puback,
  publish,
  publishedIn,
  suback,
} from './packets.ts';

export interface Client {
  readonly id: string;
  readonly filters: readonly TopicFilter[];
  /** Bytes as they are. */
  write(bytes: Uint8Array): void;
  /** Writes the same bytes again and again, as fast as the other side takes them. */
  flood(bytes: Uint8Array): void;
  /** Breaks the connection. */
  cut(): void;
}

export interface Broker extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  /** Types of the packets that came. */
  readonly seen: ReadonlySet<number>;
  /** Most bytes that one connection took from this broker. */
  readonly takenMax: number;
  /** Sees each packet first; what it does not obey has no effect. Null: an honest broker. */
  manner: Manner | null;
  /** Breaks every connection, as a broker does that is started again. */
  restart(): void;
}

export type Manner = (packet: Packet, client: Client, hands: Hands) => void;

export interface Hands {
  /** Does what an honest broker does. */
  obey(): void;
  subscribersOf(topic: string): readonly Client[];
}

interface Session extends Client {
  id: string;
  readonly filters: TopicFilter[];
}

export async function openBroker(files: {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}): Promise<Broker> {
  const sessions = new Set<Session>();
  let connections = 0;
  let takenMax = 0;
  const seen = new Set<number>();
  const server = createServer(
    {
      ca: readFileSync(files.authority),
      cert: readFileSync(files.certificate),
      key: readFileSync(files.key),
      requestCert: true,
      minVersion: 'TLSv1.3',
    },
    (socket) => {
      connections++;
      const session = sessionOf(socket);
      sessions.add(session);
      socket.on('close', () => sessions.delete(session));
      const subscribersOf = (topic: string): readonly Session[] =>
        [...sessions].filter(({ filters }) => filters.some((filter) => matches(filter, topic)));
      const cut = createPacketCutter();
      socket.on('data', (chunk: Buffer) => {
        for (const packet of cut(chunk)) {
          seen.add(packet.type);
          if (packet.type === PacketType.connect) session.id = clientIdOf(packet);
          const obey = (): void => obeyed(packet, session, subscribersOf);
          if (broker.manner === null) obey();
          else broker.manner(packet, session, { obey, subscribersOf });
        }
      });
      socket.on('close', () => {
        takenMax = Math.max(takenMax, socket.bytesWritten - socket.writableLength);
      });
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const broker: Broker = {
    port: (server.address() as AddressInfo).port,
    manner: null,
    seen,
    get connections() {
      return connections;
    },
    get takenMax() {
      return takenMax;
    },
    restart: () => {
      for (const session of sessions) session.cut();
    },
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return broker;
}

function sessionOf(socket: TLSSocket): Session {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  return {
    id: '',
    filters: [],
    write: (bytes) => {
      if (!socket.destroyed) socket.write(bytes);
    },
    flood: (bytes) => {
      const more = (): void => {
        if (socket.destroyed) return;
        if (socket.writableLength < bytes.length) socket.write(bytes);
        setImmediate(more);
      };
      more();
    },
    cut: () => socket.destroy(),
  };
}

/** What an honest broker does. */
function obeyed(packet: Packet, session: Session, subscribersOf: (topic: string) => readonly Client[]): void {
  if (packet.type === PacketType.connect) session.write(connack());
  else if (packet.type === PacketType.subscribe) {
    const filters = filtersOf(packet);
    session.filters.push(...filters.map(parseFilter));
    session.write(
      suback(
        packetIdOf(packet),
        filters.map(() => 1),
      ),
    );
  } else if (packet.type === PacketType.pingreq) session.write(pingresp());
  else if (packet.type === PacketType.publish) {
    const { topic, payload, id } = publishedIn(packet);
    for (const other of subscribersOf(topic)) other.write(publish(topic, payload));
    if (id !== null) session.write(puback(id));
  }
}
