/* SoftHSM behind a PKCS#11 module that fails one C_SignInit with the code that a file names, and forgets the file. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long CK_ULONG;
typedef CK_ULONG (*sign_init_t)(CK_ULONG session, void *mechanism, CK_ULONG key);

/* CK_FUNCTION_LIST: a version, then 68 functions. PKCS#11 2.40 section 5.2. */
enum { FUNCTIONS = 68, SIGN_INIT = 42 };
struct function_list {
  unsigned char version[2];
  void *functions[FUNCTIONS];
};

static struct function_list list;
static sign_init_t real_sign_init;

static CK_ULONG sign_init(CK_ULONG session, void *mechanism, CK_ULONG key) {
  const char *path = getenv("FAULTY_MODULE_FILE");
  FILE *file = path == NULL ? NULL : fopen(path, "r");
  CK_ULONG code = 0;
  if (file != NULL) {
    if (fscanf(file, "%lx", &code) != 1) code = 0;
    fclose(file);
    unlink(path);
  }
  return code == 0 ? real_sign_init(session, mechanism, key) : code;
}

CK_ULONG C_GetFunctionList(void **given) {
  void *module = dlopen(REAL_MODULE, RTLD_NOW | RTLD_LOCAL);
  CK_ULONG (*real)(void **) = module == NULL ? NULL : (CK_ULONG(*)(void **))dlsym(module, "C_GetFunctionList");
  struct function_list *found = NULL;
  if (real == NULL || real((void **)&found) != 0) return 5; /* CKR_GENERAL_ERROR */
  memcpy(&list, found, sizeof list);
  real_sign_init = (sign_init_t)list.functions[SIGN_INIT];
  list.functions[SIGN_INIT] = (void *)sign_init;
  *given = &list;
  return 0;
}
