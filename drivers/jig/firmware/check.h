/* CRC-16/CCITT-FALSE: polynomial 1021, start FFFF; frames and memory carry it big endian. */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>

#define CHECK_START 0xffff

uint16_t check_add(uint16_t check, uint8_t byte);

#endif
