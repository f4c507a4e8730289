/* AES-CMAC with a key that is set once. RFC 4493. */
#ifndef CMAC_H
#define CMAC_H

#include "aes.h"

#include <stdbool.h>

void cmac_key(const uint8_t key[BLOCK_BYTES]);
/* The full code of a message of up to 255 bytes. */
void cmac(const uint8_t *message, uint8_t size, uint8_t code[BLOCK_BYTES]);
/* Whether the code is right; takes as long for every wrong one. */
bool cmac_fits(const uint8_t *message, uint8_t size, const uint8_t code[BLOCK_BYTES]);

#endif
