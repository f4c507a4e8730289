/** HTTP without a network: doors at made-up addresses, and a client that reaches those that serve. */
import { Fault } from '../../runtime/core/faults.ts';
import type { HttpAnswer, HttpClient, HttpDoor, HttpQuestion } from '../../runtime/core/ports.ts';

/** As at the real door. */
const BODY_BYTES_MAX = 65_536;

export interface InMemoryHttp {
  door(name: string): HttpDoor;
  readonly client: HttpClient;
  /** While silent it takes questions and never answers; its clients see their deadline pass at once. */
  silence(name: string, silent: boolean): void;
}

export function createInMemoryHttp(): InMemoryHttp {
  const served = new Map<string, (question: HttpQuestion) => Promise<HttpAnswer>>();
  const silent = new Set<string>();
  return {
    door: (name) => ({
      serve: async (answer) => {
        served.set(name, answer);
        return `http://${name}`;
      },
      close: async () => {
        served.delete(name);
      },
    }),
    client: {
      post: async (url, body) => {
        const [, name = '', path = ''] = /^http:\/\/([^/]+)(\/.*)$/.exec(url) ?? [];
        const answer = served.get(name);
        if (answer === undefined) throw new Fault('WITNESS_UNREACHABLE', { url, why: 'no connection' });
        if (silent.has(name)) throw new Fault('WITNESS_UNREACHABLE', { url, why: 'no answer in time' });
        const bytes = Buffer.from(body, 'utf8');
        if (bytes.length > BODY_BYTES_MAX) return { status: 413, type: 'text/plain', body: 'too long\n' };
        try {
          return await answer({ method: 'POST', path, body: bytes });
        } catch {
          return { status: 500, type: 'text/plain', body: 'not now\n' }; // As the real door answers.
        }
      },
    },
    silence: (name, isSilent) => {
      if (isSilent) silent.add(name);
      else silent.delete(name);
    },
  };
}
