/** One MQTT channel, declared once: its topic, its payload, who sends, who receives, and how surely. */
import { z } from 'zod';
import { type Bytes, fromText, toText } from '../bytes.ts';
import { Fault } from '../faults.ts';

export const programs = ['station', 'gateway', 'backend', 'mes'] as const;
export type Program = (typeof programs)[number];

export interface Channel<Topic extends string = string, Payload extends z.ZodType = z.ZodType> {
  readonly topic: Topic;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly from: Program;
  readonly to: Program;
  readonly summary: string;
  readonly payload: Payload;
}

export type Parameters<Topic extends string> = Topic extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [K in Name]: string } & Parameters<Rest>
  : unknown;

export function channel<const Topic extends string, Payload extends z.ZodType>(
  declaration: Channel<Topic, Payload>,
): Channel<Topic, Payload> {
  return declaration;
}

/** `topicOf(reserveRequest, { station: 'l1-s3' })` is `holdfast/v1/req/l1-s3/backend/reserve`. */
export function topicOf<Topic extends string>(of: { topic: Topic }, parameters: Parameters<Topic>): string {
  return of.topic.replace(
    /\{(\w+)\}/g,
    (_, name: string) => (parameters as Record<string, string>)[name] ?? '',
  );
}

/** The filter that matches the channel for every value of the parameters not given. */
export function filterOf(of: { topic: string }, parameters: Readonly<Record<string, string>> = {}): string {
  return of.topic.replace(/\{(\w+)\}/g, (_, name: string) => parameters[name] ?? '+');
}

/** The values of the parameters in a topic; null when it is not one of this channel. */
export function parametersIn(of: { topic: string }, topic: string): Readonly<Record<string, string>> | null {
  const wanted = of.topic.split('/');
  const given = topic.split('/');
  if (wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name !== undefined) found[name] = given[i] ?? '';
    else if (part !== given[i]) return null;
  }
  return found;
}

/** Largest message of any channel, in bytes. */
export const MESSAGE_BYTES_MAX = 262_144;

/** The text of a message; null when it is too large or not UTF-8. A hostile broker may send anything. */
export function messageText(bytes: Bytes): string | null {
  if (bytes.length > MESSAGE_BYTES_MAX) return null;
  try {
    return toText(bytes);
  } catch {
    return null; // The caller reports the message as refused.
  }
}

/** @throws Fault MESSAGE_MALFORMED */
export function decodeJson<P extends z.ZodType>(payload: P, bytes: Bytes): z.output<P> {
  if (bytes.length > MESSAGE_BYTES_MAX) throw new Fault('MESSAGE_MALFORMED', { bytes: bytes.length });
  let value: unknown;
  try {
    value = JSON.parse(toText(bytes));
  } catch (error) {
    throw new Fault('MESSAGE_MALFORMED', { form: 'not JSON' }, { cause: error });
  }
  const result = payload.safeParse(value);
  if (result.success) return result.data;
  throw new Fault('MESSAGE_MALFORMED', { where: z.prettifyError(result.error).slice(0, 300) });
}

export function encodeJson(value: unknown): Bytes {
  return fromText(JSON.stringify(value));
}
