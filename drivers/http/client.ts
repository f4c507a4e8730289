/** Asks over HTTP, with one deadline for all of it and a bound on the answer. */
import { Fault } from '../../runtime/core/faults.ts';
import type { HttpAnswer, HttpClient } from '../../runtime/core/ports.ts';

const ANSWER_BYTES_MAX = 65_536;

export const httpClient: HttpClient = {
  post: async (url, body, deadlineMs) => {
    const signal = AbortSignal.timeout(deadlineMs);
    try {
      // A redirect would lead to somebody who was not configured.
      const response = await fetch(url, { method: 'POST', body, signal, redirect: 'error' });
      return {
        status: response.status,
        type: response.headers.get('content-type') ?? '',
        body: await bodyOf(response, url),
      };
    } catch (error) {
      if (error instanceof Fault) throw error;
      const late = signal.aborted ? 'no answer in time' : 'no connection';
      throw new Fault('WITNESS_UNREACHABLE', { url, why: late }, { cause: error });
    }
  },
};

async function bodyOf(response: Response, url: string): Promise<HttpAnswer['body']> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > ANSWER_BYTES_MAX)
      throw new Fault('WITNESS_UNREACHABLE', { url, why: 'the answer is too long' });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
