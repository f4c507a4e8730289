/* AES-128, one block enciphered in place. FIPS 197. The same number of steps for every key and block. */
#ifndef AES_H
#define AES_H

#include <stdint.h>

#define BLOCK_BYTES 16
#define ROUND_KEYS_BYTES (11 * BLOCK_BYTES)

void aes_expand(const uint8_t key[BLOCK_BYTES], uint8_t round_keys[ROUND_KEYS_BYTES]);
void aes_encrypt(const uint8_t round_keys[ROUND_KEYS_BYTES], uint8_t block[BLOCK_BYTES]);

#endif
