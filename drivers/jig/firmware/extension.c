#include "extension.h"

#include "check.h"
#include "gate.h"
#include "identity.h"
#include "serial.h"

#include <stdbool.h>
#include <string.h>

#define VERSION 1
#define OPEN 0x01
#define ASK_STATUS 0x02
#define WHO 0x04
#define IDENTITY 0x42

#define BODY_BYTES_MAX 47
#define CHECK_BYTES 2
/* F0 01 command, the body with its check at 8 bits for 7, F7. */
#define FRAME_BYTES_MAX (3 + ((BODY_BYTES_MAX + CHECK_BYTES) * 8 + 6) / 7 + 1)

static uint16_t check_of(uint8_t command, const uint8_t *body, uint8_t size) {
  uint16_t check = check_add(CHECK_START, command);
  for (uint8_t i = 0; i < size; i++) check = check_add(check, body[i]);
  return check;
}

/* Seven bits for eight, lowest first, in place; returns the number of whole bytes. */
static uint8_t unpack(uint8_t *packed, uint8_t size) {
  uint16_t held = 0;
  uint8_t bits = 0, count = 0;
  for (uint8_t i = 0; i < size; i++) {
    held |= (uint16_t)packed[i] << bits;
    bits += 7;
    if (bits < 8) continue;
    packed[count++] = held & 0xff;
    held >>= 8;
    bits -= 8;
  }
  return count;
}

static uint8_t name_length(const uint8_t *name, uint8_t size) {
  uint8_t length = 0;
  while (length < size && name[length] != 0) length++;
  return length;
}

static void say_who(uint8_t query) {
  uint8_t body[4 + CONTROLLER_BYTES + NEST_BYTES];
  uint8_t at = 0;
  body[at++] = query;
  body[at++] = VERSION;
  uint8_t length = name_length(identity.controller, CONTROLLER_BYTES);
  body[at++] = length;
  memcpy(body + at, identity.controller, length);
  at += length;
  length = name_length(identity.nest, NEST_BYTES);
  body[at++] = length;
  memcpy(body + at, identity.nest, length);
  extension_send(IDENTITY, body, at + length);
}

void extension_take(uint8_t *content, uint8_t size) {
  if (size == 0) return;
  uint8_t command = content[0];
  uint8_t *body = content + 1;
  for (uint8_t i = 1; i < size; i++)
    if (content[i] > 0x7f) return;
  size = unpack(body, size - 1);
  if (size < CHECK_BYTES) return;
  size -= CHECK_BYTES;
  uint16_t check = (uint16_t)body[size] << 8 | body[size + 1];
  if (check != check_of(command, body, size)) return;

  if (command == ASK_STATUS && size == 1) gate_status(body[0]);
  else if (command == WHO && size == 1) say_who(body[0]);
  else if (command == OPEN && size == 1 + sizeof(struct release)) {
    struct release release;
    memcpy(&release, body + 1, sizeof release);
    if (release.lane < LANE_COUNT) gate_open(body[0], &release);
  }
}

void extension_send(uint8_t command, const uint8_t *body, uint8_t size) {
  uint16_t check = check_of(command, body, size);
  uint8_t frame[FRAME_BYTES_MAX] = {0xf0, EXTENSION, command};
  uint8_t at = 3, bits = 0;
  uint16_t held = 0;
  for (uint8_t i = 0; i < size + CHECK_BYTES; i++) {
    uint8_t byte = i < size ? body[i] : i == size ? check >> 8 : check & 0xff;
    held |= (uint16_t)byte << bits;
    for (bits += 8; bits >= 7; bits -= 7, held >>= 7) frame[at++] = held & 0x7f;
  }
  if (bits > 0) frame[at++] = held;
  frame[at++] = 0xf7;
  serial_send(frame, at);
}
