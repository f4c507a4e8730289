#include "check.h"

uint16_t check_add(uint16_t check, uint8_t byte) {
  check ^= (uint16_t)byte << 8;
  for (uint8_t bit = 0; bit < 8; bit++) check = (uint16_t)(check << 1) ^ (check & 0x8000 ? 0x1021 : 0);
  return check;
}
