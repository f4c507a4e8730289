#include "identity.h"

#include "check.h"
#include "cmac.h"

#include <avr/eeprom.h>
#include <string.h>

#define PLACE 1
#define MAGIC_BYTES 4
#define KEY_AT MAGIC_BYTES
#define CONTROLLER_AT (KEY_AT + BLOCK_BYTES)
#define NEST_AT (CONTROLLER_AT + CONTROLLER_BYTES)
#define TIMEOUTS_AT (NEST_AT + NEST_BYTES)
#define CHECKED_BYTES (TIMEOUTS_AT + 4)

struct identity identity;

static uint16_t number_at(const uint8_t *bytes) { return (uint16_t)bytes[0] << 8 | bytes[1]; }

bool identity_load(void) {
  uint8_t image[CHECKED_BYTES + 2];
  uint16_t check = CHECK_START;
  eeprom_read_block(image, (const void *)PLACE, sizeof image);
  for (uint8_t i = 0; i < CHECKED_BYTES; i++) check = check_add(check, image[i]);
  bool whole = memcmp(image, "HFG1", MAGIC_BYTES) == 0 && check == number_at(image + CHECKED_BYTES);
  if (whole) {
    cmac_key(image + KEY_AT);
    memcpy(identity.controller, image + CONTROLLER_AT, CONTROLLER_BYTES);
    memcpy(identity.nest, image + NEST_AT, NEST_BYTES);
    identity.host_timeout_ms = number_at(image + TIMEOUTS_AT);
    identity.open_timeout_ms = number_at(image + TIMEOUTS_AT + 2);
  }
  return whole;
}
