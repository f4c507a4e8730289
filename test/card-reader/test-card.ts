/** A card for readers: it echoes, answers in parts, counts, falls silent and is pulled, as the command says. */

export interface TestCard {
  powerOn(): Uint8Array;
  powerOff(): void;
  /** `silence`: it never answers. `pull`: it leaves the reader after carrying the command out. */
  transmit(command: Uint8Array): Uint8Array | 'silence' | 'pull';
}

/** T=1, direct convention, historical bytes "test". */
export const ATR = Buffer.from('3b84800174657374ea', 'hex');

const OK = Uint8Array.of(0x90, 0x00);

/** Commands of the test card, in hexadecimal. */
export const TestCommand = {
  select: '00a4040000',
  /** Gives its data back. */
  echo: (data: string): string => `00010000${(data.length / 2).toString(16).padStart(2, '0')}${data}`,
  /** Announces 600 bytes by 61xx. */
  inParts: '0002000000',
  /** Wants Le 10 and says so by 6C10. */
  wrongLength: '0003000000',
  silence: '00040000',
  /** Counts, then is gone before it answers. */
  countAndPull: '00050000',
  /** Counts for ever: kept without power. */
  count: '00060000',
  /** Counts since power came: forgotten without it. */
  countSincePower: '00070000',
  /** 65026 bytes with the status word; extended length. */
  huge: '00080000000000',
  refuse: '00090000',
} as const;

export function createTestCard(serial = 0): TestCard {
  let rest = new Uint8Array(0);
  let counted = 0;
  let sincePower = 0;
  const withOk = (...bytes: readonly number[]): Uint8Array => Uint8Array.of(...bytes, ...OK);
  const nextPart = (): Uint8Array => {
    const part = rest.subarray(0, 256);
    rest = rest.subarray(256);
    const more = rest.length === 0 ? OK : Uint8Array.of(0x61, Math.min(rest.length, 256) & 0xff);
    return Buffer.concat([part, more]);
  };
  return {
    powerOn: () => {
      sincePower = 0;
      rest = new Uint8Array(0);
      return ATR;
    },
    powerOff: () => {
      sincePower = 0;
    },
    transmit: (command) => {
      switch (command[1]) {
        case 0x01:
          return Buffer.concat([command.subarray(5, 5 + (command[4] ?? 0)), OK]);
        case 0x02:
          rest = Uint8Array.from({ length: 600 }, (_, i) => i & 0xff);
          return Uint8Array.of(0x61, 0x00);
        case 0xc0:
          return nextPart();
        case 0x03:
          return command[4] === 0x10 ? withOk(...Buffer.alloc(16, 0xcc)) : Uint8Array.of(0x6c, 0x10);
        case 0x04:
          return 'silence';
        case 0x05:
          counted++;
          return 'pull';
        case 0x06:
          return withOk(serial, ++counted);
        case 0x07:
          return withOk(++sincePower);
        case 0x08:
          return Buffer.concat([Buffer.alloc(65_024, 0x5a), OK]);
        case 0x09:
          return Uint8Array.of(0x6a, 0x82);
        default:
          return OK;
      }
    },
  };
}
