/**
 * Status words. Error words travel without R-MAC: they are never evidence, only a reason to look.
 *
 * @see ISO/IEC 7816-4 section 5.1.3; GPCS 2.3.1 section 11.1.3
 */

/** GPCS 2.3.1 tables 11-10 and following. */
export const StatusWord = {
  success: 0x9000,
  /** More entries of GET STATUS follow. Table 11-39. */
  moreData: 0x6310,
  wrongLength: 0x6700,
  securityNotSatisfied: 0x6982,
  conditionsNotSatisfied: 0x6985,
  wrongData: 0x6a80,
  memoryFull: 0x6a84,
  fileNotFound: 0x6a82,
  wrongParameters: 0x6a86,
  notFound: 0x6a88,
  unknownInstruction: 0x6d00,
} as const;

/** `6a88`: how a status word is written everywhere. */
export function showStatusWord(statusWord: number): string {
  return statusWord.toString(16).padStart(4, '0');
}
