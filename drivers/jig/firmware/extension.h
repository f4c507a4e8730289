/*
 * What station and gate controller say beside Firmata, in the user sysex 01. The frames stand in
 * ../extension.ts; a frame that is damaged, of another length or of another kind is no message at all.
 */
#ifndef EXTENSION_H
#define EXTENSION_H

#include <stdint.h>

#define EXTENSION 0x01
#define EXTENSION_REPORT 0x41

/* `content` is what stands between `F0 01` and `F7`; it is unpacked where it is. */
void extension_take(uint8_t *content, uint8_t size);
/* Packs and sends a body of up to 47 bytes. */
void extension_send(uint8_t command, const uint8_t *body, uint8_t size);

#endif
