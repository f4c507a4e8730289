/**
 * The PIN of the applet: tries outlive power, a passed VERIFY does not.
 *
 * @see NIST SP 800-73-4 part 2 section 3.2.1
 */
import { equal } from '../../../runtime/core/bytes.ts';
import { type ChipState, PIN_TRIES_MAX } from './chip.ts';
import { type CardAnswer, type CardCommand, Refusal, StatusWord, success } from './wire.ts';

const PIN_REFERENCE = 0x80;
const PIN_BYTES = 8;
/** 63Cx: x tries left. */
const TRIES_LEFT = 0x63c0;

export interface Pin {
  /** @throws Refusal 6A86 (another key reference), 6700, 6983 (blocked) */
  verify(command: CardCommand): CardAnswer;
  /** Whether a slot that asks for the PIN may be used; with `eachTime` the PIN is used up by it. */
  admits(eachTime: boolean): boolean;
  forget(): void;
}

export function createPin(state: ChipState): Pin {
  let verified = false;
  let fresh = false;
  const forget = (): void => {
    verified = false;
    fresh = false;
  };
  return {
    forget,
    admits: (eachTime) => {
      const admitted = eachTime ? fresh : verified;
      fresh = false;
      return admitted;
    },
    verify: ({ p1, p2, data }) => {
      if (p1 !== 0 || p2 !== PIN_REFERENCE) throw new Refusal(StatusWord.parametersWrong);
      if (data.length === 0 && verified) return success();
      if (data.length === 0) return { data, statusWord: TRIES_LEFT | state.pin.triesLeft };
      if (data.length !== PIN_BYTES) throw new Refusal(StatusWord.lengthWrong);
      forget();
      if (state.pin.triesLeft === 0) throw new Refusal(StatusWord.pinBlocked);
      if (!equal(data, Buffer.from(state.pin.value, 'hex'))) {
        state.pin.triesLeft--;
        return { data: new Uint8Array(0), statusWord: TRIES_LEFT | state.pin.triesLeft };
      }
      state.pin.triesLeft = PIN_TRIES_MAX;
      verified = true;
      fresh = true;
      return success();
    },
  };
}
