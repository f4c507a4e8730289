#include "cmac.h"

#include <string.h>

static uint8_t round_keys[ROUND_KEYS_BYTES];
/* K1 and K2 of RFC 4493 section 2.3. */
static uint8_t whole_key[BLOCK_BYTES], padded_key[BLOCK_BYTES];

/* Multiplication by x in GF(2^128). */
static void twice(const uint8_t from[BLOCK_BYTES], uint8_t to[BLOCK_BYTES]) {
  uint8_t carry = from[0] >> 7;
  for (uint8_t i = 0; i < BLOCK_BYTES - 1; i++) to[i] = (uint8_t)(from[i] << 1) | from[i + 1] >> 7;
  to[BLOCK_BYTES - 1] = (uint8_t)(from[BLOCK_BYTES - 1] << 1) ^ (uint8_t)(0x87 & -carry);
}

void cmac_key(const uint8_t key[BLOCK_BYTES]) {
  uint8_t zero[BLOCK_BYTES] = {0};
  aes_expand(key, round_keys);
  aes_encrypt(round_keys, zero);
  twice(zero, whole_key);
  twice(whole_key, padded_key);
}

void cmac(const uint8_t *message, uint8_t size, uint8_t code[BLOCK_BYTES]) {
  memset(code, 0, BLOCK_BYTES);
  while (size > BLOCK_BYTES) {
    for (uint8_t i = 0; i < BLOCK_BYTES; i++) code[i] ^= message[i];
    aes_encrypt(round_keys, code);
    message += BLOCK_BYTES;
    size -= BLOCK_BYTES;
  }
  const uint8_t *last_key = size == BLOCK_BYTES ? whole_key : padded_key;
  for (uint8_t i = 0; i < size; i++) code[i] ^= message[i];
  if (size < BLOCK_BYTES) code[size] ^= 0x80;
  for (uint8_t i = 0; i < BLOCK_BYTES; i++) code[i] ^= last_key[i];
  aes_encrypt(round_keys, code);
}

bool cmac_fits(const uint8_t *message, uint8_t size, const uint8_t code[BLOCK_BYTES]) {
  uint8_t right[BLOCK_BYTES];
  uint8_t differing = 0;
  cmac(message, size, right);
  for (uint8_t i = 0; i < BLOCK_BYTES; i++) differing |= right[i] ^ code[i];
  return differing == 0;
}
