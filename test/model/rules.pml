/* The rules that a run may take away, for gate.pml: written by `npm run docs` from scripts/model/rules.ts. */
#define R_SYNC 0
#define R_RESYNC 1
#define R_INTENT 2
#define R_NO_PUBACK 3
#define R_OWN_ANSWER 4
#define R_COMMIT_FIRST 5
#define R_ARRIVAL_FIRST 6
#define R_SAME_CARD 7
#define R_CLOSE_ON_LOSS 8
#define R_ARRIVAL 9
#define R_DERIVED_KEY 10
#define R_PROOF 11
#define R_PAIR_CERTIFIED 12
#define R_GATEWAY_EPOCH 13
#define R_BACKEND_EPOCH 14
#define R_TAG 15
#define R_FORMER_VOID 16
#define R_DELETE_LAST 17
#define R_RESERVATION 18
#define R_UNIQUE 19
#define R_ONE_COMMIT 20
#define R_RECEIPT_FIRST 21
#ifdef CHOSEN
/* One checker for every run: rules and number of faults come from its environment. */
c_decl {
  static unsigned removed_rules, fault_budget;
  __attribute__((constructor)) static void choose_run(void) {
    removed_rules = strtoul(getenv("REMOVED"), 0, 0);
    fault_budget = strtoul(getenv("NFAULT"), 0, 0);
  }
}
#define RULE(rule) c_expr { !(removed_rules >> R_##rule & 1) }
#define NFAULT c_expr { fault_budget }
#else
#ifndef REMOVED
#define REMOVED 0
#endif
#define RULE(rule) (!((REMOVED) >> R_##rule & 1))
#ifndef NFAULT
#define NFAULT 3
#endif
#endif
