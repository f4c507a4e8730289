/*
 * SoftHSM behind a PKCS#11 module that derives by CKM_SP800_108_COUNTER_KDF and enforces the mechanisms of a master.
 * A master that is made for the KDF is kept by SoftHSM as a key for CMAC, which the KDF is made of; nobody but this
 * module uses it so, and it tells the attributes that were asked for. PKCS#11 3.0 section 2.43.
 */
#include <dlfcn.h>
#include <string.h>

typedef unsigned long CK_ULONG;
typedef unsigned char CK_BYTE;
typedef struct { CK_ULONG type; void *value; CK_ULONG length; } CK_ATTRIBUTE;
typedef struct { CK_ULONG type; void *parameter; CK_ULONG length; } CK_MECHANISM;
typedef CK_ATTRIBUTE CK_PRF_DATA_PARAM;
typedef struct { CK_ULONG prf; CK_ULONG count; CK_PRF_DATA_PARAM *data; CK_ULONG more; void *keys; } CK_KDF_PARAMS;
typedef CK_ULONG (*call_t)();

enum { FUNCTIONS = 68, MECHANISM_LIST = 7, CREATE = 20, GET_ATTRIBUTES = 24, SIGN_INIT = 42, SIGN = 43, GENERATE = 58, UNWRAP = 61, DERIVE = 62 };
enum { COUNTER_KDF = 0x3ac, AES_CMAC = 0x108a };
enum { CKA_VALUE = 0x11, CKA_SIGN = 0x108, CKA_DERIVE = 0x10c, CKA_VALUE_LEN = 0x161, CKA_ALLOWED = 0x40000600 };
enum { ITERATION = 1, DKM_LENGTH = 3, BYTES = 4 };
enum { FUNCTION_NOT_PERMITTED = 0x68, MECHANISM_INVALID = 0x70, PARAM_INVALID = 0x71 };
enum { ATTRIBUTES_MAX = 48, INPUT_MAX = 128, BLOCK = 16 };

static struct { CK_BYTE version[2]; call_t functions[FUNCTIONS]; } list;
static call_t real[FUNCTIONS];
static CK_ULONG cmac = AES_CMAC;
static CK_BYTE yes = 1;

static int is_native(CK_ULONG session, CK_ULONG key) {
  CK_ULONG allowed[4] = {0};
  CK_BYTE derives = 0;
  CK_ATTRIBUTE asked[] = {{CKA_ALLOWED, allowed, sizeof allowed}, {CKA_DERIVE, &derives, 1}};
  if (real[GET_ATTRIBUTES](session, key, asked, (CK_ULONG)2) != 0) return 0;
  return derives && asked[0].length == sizeof allowed[0] && allowed[0] == AES_CMAC;
}

/* The template as SoftHSM gets it. */
static CK_ATTRIBUTE *kept_as(CK_ATTRIBUTE *to, const CK_ATTRIBUTE *from, CK_ULONG count) {
  int native = 0;
  for (CK_ULONG i = 0; i < count; i++)
    native |= from[i].type == CKA_ALLOWED && from[i].length == sizeof cmac && *(CK_ULONG *)from[i].value == COUNTER_KDF;
  memcpy(to, from, count * sizeof *to);
  for (CK_ULONG i = 0; native && i < count; i++) {
    if (to[i].type == CKA_ALLOWED) to[i].value = &cmac;
    if (to[i].type == CKA_SIGN) to[i].value = &yes;
  }
  return to;
}

static CK_ULONG create(CK_ULONG session, CK_ATTRIBUTE *template, CK_ULONG count, CK_ULONG *key) {
  CK_ATTRIBUTE kept[ATTRIBUTES_MAX];
  if (count > ATTRIBUTES_MAX) return PARAM_INVALID;
  return real[CREATE](session, kept_as(kept, template, count), count, key);
}

static CK_ULONG generate(CK_ULONG session, void *mechanism, CK_ATTRIBUTE *template, CK_ULONG count, CK_ULONG *key) {
  CK_ATTRIBUTE kept[ATTRIBUTES_MAX];
  if (count > ATTRIBUTES_MAX) return PARAM_INVALID;
  return real[GENERATE](session, mechanism, kept_as(kept, template, count), count, key);
}

static CK_ULONG unwrap(CK_ULONG session, void *mechanism, CK_ULONG under, void *wrapped, CK_ULONG length,
                       CK_ATTRIBUTE *template, CK_ULONG count, CK_ULONG *key) {
  CK_ATTRIBUTE kept[ATTRIBUTES_MAX];
  if (count > ATTRIBUTES_MAX) return PARAM_INVALID;
  return real[UNWRAP](session, mechanism, under, wrapped, length, kept_as(kept, template, count), count, key);
}

static CK_ULONG get_attributes(CK_ULONG session, CK_ULONG key, CK_ATTRIBUTE *template, CK_ULONG count) {
  CK_ULONG code = real[GET_ATTRIBUTES](session, key, template, count);
  if (code != 0 || !is_native(session, key)) return code;
  for (CK_ULONG i = 0; i < count; i++) {
    if (template[i].value == NULL) continue;
    if (template[i].type == CKA_ALLOWED) *(CK_ULONG *)template[i].value = COUNTER_KDF;
    if (template[i].type == CKA_SIGN) *(CK_BYTE *)template[i].value = 0;
  }
  return code;
}

static CK_ULONG mechanisms(CK_ULONG slot, CK_ULONG *types, CK_ULONG *count) {
  CK_ULONG room = types == NULL ? 0 : *count - 1;
  CK_ULONG code = real[MECHANISM_LIST](slot, types, &room);
  if (code == 0 && types != NULL) types[room] = COUNTER_KDF;
  *count = room + 1;
  return code;
}

static CK_ULONG sign_init(CK_ULONG session, void *mechanism, CK_ULONG key) {
  return is_native(session, key) ? FUNCTION_NOT_PERMITTED : real[SIGN_INIT](session, mechanism, key);
}

/* A number, big endian, in so many bits. */
static CK_BYTE *number(CK_BYTE *to, CK_ULONG value, CK_ULONG bits) {
  for (CK_ULONG shift = bits; shift > 0; shift -= 8) *to++ = (CK_BYTE)(value >> (shift - 8));
  return to;
}

static CK_ULONG derive(CK_ULONG session, CK_MECHANISM *mechanism, CK_ULONG base, CK_ATTRIBUTE *template, CK_ULONG count, CK_ULONG *key) {
  if (mechanism->type != COUNTER_KDF) return real[DERIVE](session, mechanism, base, template, count, key);
  CK_KDF_PARAMS *params = mechanism->parameter;
  if (!is_native(session, base)) return MECHANISM_INVALID;
  if (mechanism->length != sizeof *params || params->prf != AES_CMAC || params->more != 0) return PARAM_INVALID;
  CK_BYTE value[2 * BLOCK];
  CK_ATTRIBUTE made[ATTRIBUTES_MAX + 1] = {{CKA_VALUE, value, 0}};
  CK_ULONG members = 1;
  for (CK_ULONG i = 0; i < count && members <= ATTRIBUTES_MAX; i++) {
    if (template[i].type == CKA_VALUE_LEN) made[0].length = *(CK_ULONG *)template[i].value;
    else made[members++] = template[i];
  }
  if (made[0].length == 0 || made[0].length > sizeof value) return PARAM_INVALID;
  for (CK_ULONG round = 1; (round - 1) * BLOCK < made[0].length; round++) {
    CK_BYTE input[INPUT_MAX], *at = input;
    for (CK_ULONG i = 0; i < params->count; i++) {
      CK_PRF_DATA_PARAM *part = &params->data[i];
      const CK_ULONG *form = part->value;
      if (part->length > INPUT_MAX - (CK_ULONG)(at - input) - sizeof(CK_ULONG)) return PARAM_INVALID;
      if (part->type == ITERATION) at = number(at, round, form[1]);
      else if (part->type == DKM_LENGTH) at = number(at, 8 * made[0].length, form[2]);
      else if (part->type == BYTES) at = (CK_BYTE *)memcpy(at, part->value, part->length) + part->length;
      else return PARAM_INVALID;
    }
    CK_MECHANISM prf = {AES_CMAC, NULL, 0};
    CK_ULONG size = BLOCK;
    CK_ULONG code = real[SIGN_INIT](session, &prf, base);
    if (code == 0) code = real[SIGN](session, input, (CK_ULONG)(at - input), value + (round - 1) * BLOCK, &size);
    if (code != 0) return code;
  }
  return real[CREATE](session, made, members, key);
}

CK_ULONG C_GetFunctionList(void **given) {
  void *module = dlopen(REAL_MODULE, RTLD_NOW | RTLD_LOCAL);
  call_t found = module == NULL ? NULL : (call_t)dlsym(module, "C_GetFunctionList");
  void *theirs = NULL;
  if (found == NULL || found(&theirs) != 0) return 5; /* CKR_GENERAL_ERROR */
  memcpy(&list, theirs, sizeof list);
  memcpy(real, list.functions, sizeof real);
  list.functions[MECHANISM_LIST] = mechanisms;
  list.functions[CREATE] = create;
  list.functions[GET_ATTRIBUTES] = get_attributes;
  list.functions[SIGN_INIT] = sign_init;
  list.functions[GENERATE] = generate;
  list.functions[UNWRAP] = unwrap;
  list.functions[DERIVE] = derive;
  *given = &list;
  return 0;
}
