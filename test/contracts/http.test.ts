/** The contract of small questions over HTTP, on loopback and in memory. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, describe, it } from 'node:test';
import { httpClient } from '../../drivers/http/client.ts';
import { openHttpDoor } from '../../drivers/http/door.ts';
import { createInMemoryHttp } from '../../drivers/http/in-memory.ts';
import type { HttpClient, HttpDoor } from '../../runtime/core/ports.ts';

const http = createInMemoryHttp();
const stands: Readonly<Record<string, { readonly door: HttpDoor; readonly client: HttpClient }>> = {
  'on loopback': { door: openHttpDoor('127.0.0.1', 0), client: httpClient },
  'in memory': { door: http.door('door'), client: http.client },
};

for (const [where, { door, client }] of Object.entries(stands))
  describe(`a question over HTTP ${where}`, () => {
    let url = '';
    after(() => door.close());

    it('is answered with status, type and body', async () => {
      url = await door.serve(async ({ method, path, body }) => {
        if (path === '/broken') throw new Error('a detail of ours');
        return { status: 409, type: 'text/x.tlog.size', body: `${method} ${path} ${body.length}\n` };
      });
      const { status, type, body } = await client.post(`${url}/here`, 'ä', 2_000);
      assert.deepEqual([status, type.split(';')[0], body], [409, 'text/x.tlog.size', 'POST /here 2\n']);
    });

    it('gets 500 and no detail where the program fails, and 413 where it is too long', async () => {
      const { status, body } = await client.post(`${url}/broken`, '', 2_000);
      assert.deepEqual([status, body], [500, 'not now\n']);
      assert.equal((await client.post(`${url}/here`, 'x'.repeat(65_537), 2_000)).status, 413);
    });

    it('finds nobody after the end: WITNESS_UNREACHABLE', async () => {
      await door.close();
      await assert.rejects(client.post(`${url}/here`, '', 2_000), { code: 'WITNESS_UNREACHABLE' });
    });
  });

describe('the client of HTTP', () => {
  it('waits for a silent witness no longer than its deadline, and takes no endless answer', async () => {
    const silent = openHttpDoor('127.0.0.1', 0);
    const url = await silent.serve(({ path }) =>
      path === '/long'
        ? Promise.resolve({ status: 200, type: 'text/plain', body: 'x'.repeat(70_000) })
        : new Promise(() => undefined),
    );
    await assert.rejects(httpClient.post(`${url}/`, '', 50), { code: 'WITNESS_UNREACHABLE' });
    await assert.rejects(
      httpClient.post(`${url}/long`, '', 2_000),
      (error: { context?: { why?: string } }) => error.context?.why === 'the answer is too long',
    );
    await silent.close();
  });

  it('leaves a door that hears half a question able to answer others', async () => {
    const door = openHttpDoor('127.0.0.1', 0);
    const url = await door.serve(async () => ({ status: 200, type: 'text/plain', body: 'well\n' }));
    const half = connect(Number(new URL(url).port), '127.0.0.1');
    half.on('error', () => half.destroy());
    half.write('POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nhalf');
    assert.equal((await httpClient.post(`${url}/`, '', 2_000)).body, 'well\n');
    half.destroy();
    await door.close();
  });
});
