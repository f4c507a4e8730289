/** What this driver uses of johnny-five 2.1.0 and firmata-io 2.3.0, which bring no types of their own. */
declare module 'firmata-io' {
  import type { EventEmitter } from 'node:events';

  interface Transport extends EventEmitter {
    write(bytes: Uint8Array, done?: (error?: Error | null) => void): void;
  }
  interface FirmataPin {
    mode: number | undefined;
    state?: number;
    value: number;
  }
  class Firmata extends EventEmitter {
    constructor(transport: Transport, options: { readonly reportVersionTimeout: number });
    readonly reportVersionTimeoutId: NodeJS.Timeout;
    readonly isReady: boolean;
    readonly version: { readonly major?: number; readonly minor?: number };
    readonly firmware: { readonly name?: string };
    readonly pins: readonly FirmataPin[];
    readonly buffer: number[];
    readonly MODES: { readonly INPUT: number; readonly OUTPUT: number; readonly PULLUP: number };
    digitalWrite(pin: number, value: number): void;
    digitalRead(pin: number, handler: (value: number) => void): void;
    pinMode(pin: number, mode: number): void;
    sysexResponse(command: number, handler: (this: Firmata, data: readonly number[]) => void): void;
    clearSysexResponse(command: number): void;
  }
  const vendor: { readonly Firmata: typeof Firmata };
  export = vendor;
}

declare module 'johnny-five' {
  import type { EventEmitter } from 'node:events';
  import type firmata from 'firmata-io';

  interface BoardOptions {
    readonly io: InstanceType<typeof firmata.Firmata>;
    readonly repl: false;
    readonly sigint: false;
    readonly debug: false;
  }
  class Board extends EventEmitter {
    static readonly cache: Board[];
    constructor(options: BoardOptions);
    pinMode(pin: number, mode: number): this;
    digitalRead(pin: number, handler: (value: number) => void): this;
  }
  class Relay {
    constructor(options: { readonly pin: number; readonly board: Board; readonly type: 'NO' });
    open(): this;
    close(): this;
  }
  const five: { readonly Board: typeof Board; readonly Relay: typeof Relay };
  export = five;
}
