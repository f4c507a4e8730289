/* The life of units from arrival to departure, for the model checker spin: every order of events, with faults.
 *
 * Processes, one of each per nest: station (each step atomic, so that "killed at every step" is one line; every
 * append takes two steps, written and durable), gateway (a dialogue in memory, a ledger that stays), backend (commit
 * and answer apart), controller. Beside them the supply of units and chaos, which has NFAULT faults to give.
 * The steps of the station are rows of the table, by STEP(from, trigger, next state, fact): labels.pml is generated,
 * and a row that the table has not does not compile. What follows an append and a restart comes from there too.
 *
 * network   sets: a message arrives never, once or often, early or late. A later request of a nest takes the place of
 *           an earlier one; answers stay for ever. A reservation asked for before may come again (a fault).
 * clock     none: a time-out is a fault that holds a unit, at any time.
 * journal   a pair: v... as the process reads it, d... as the medium holds it.
 * reports   the station acts on what it heard last (h...), which may be old. A command is one at a time on the line.
 * key       0 none, 1 the chip's own, which follows from its EID. A key pair is 1 or 2; a new one differs.
 *
 * Properties, asserted where the physical thing happens:
 *  P0 no command changes a chip before its intent is on the medium, for this chip and epoch, under a reservation
 *  P1 released: the backend holds record and confirmation, for this unit and the key in it
 *  P2 released: the certificate in the chip is for the key pair in it, is logged, and is the one confirmed
 *  P3 released: the station's own medium holds identity, reservation, confirmation and registration
 *  P4 a condemned unit never leaves by the good lane    P5 no unit is rejected without the backend's receipt
 *  P6 one opening for one arrival, none by a release of an older epoch than one used before
 *  P7 a unit leaves by the good lane once, and has one operation
 *  P8 the transport set is gone before release, and is deleted only after the proof
 *  P9 a station asks for a release of its own only when the backend holds record and confirmation
 *  live (-DLIVE) every unit leaves in the end, although faults happened
 * Rules that can be taken away: -DREMOVED=mask, by the R_ numbers below; scripts/model/rules.ts says what each shows.
 */
#ifndef NUNIT
#define NUNIT 2
#endif
#ifndef NNEST
#define NNEST 1
#endif
#include "labels.pml"
#include "rules.pml"
#define EPOCHS 8                            /* 1 to 7: the first, and two for each fault */

/* the chip, and where it is */
/* The number stands in what the checker prints of an assertion. */
#define HOLDS(property, what) assert((what) || 900 + property == 0)
#define SUPPLY 0
#define NEST   1
#define AWAY   2
byte place[NUNIT];  byte went[NUNIT];       /* lane by which it left, 0 for none */
byte key[NUNIT];    bool transport[NUNIT] = true;  bool proved[NUNIT];
byte pair[NUNIT];   byte cert[NUNIT];
byte truth[NUNIT];                          /* 0 not known yet, else one of these */
#define SOUND  1
#define BROKEN 2
#define NO_EID 3

/* station: journal as read (v) and durable (d), then what a crash takes */
#define RUNS    0
#define WAITS   1
#define IDLES   2
#define WRITTEN 3
#define STARTED 4
byte vSt[NNEST]; byte vDo[NNEST]; byte vA[NNEST]; byte vU[NNEST]; byte vE[NNEST]; byte vHas[NNEST]; byte vReg[NNEST];
byte dSt[NNEST]; byte dDo[NNEST]; byte dA[NNEST]; byte dU[NNEST]; byte dE[NNEST]; byte dHas[NNEST]; byte dReg[NNEST];
byte at[NNEST] = STARTED;  bool inspect[NNEST];  byte played[NNEST];
byte hA[NNEST]; byte hLeft[NNEST]; byte hLane[NNEST];
/* facts of the attempt in progress, for P3 and the gate */
#define BIT_identified        1
#define BIT_reserved          2
#define BIT_confirmed         4
#define BIT_registered        8
#define BIT_reject_intent     16
#define BIT_reject_registered 32
#define BIT_none              0

/* controller of a nest */
byte seat[NNEST];                           /* unit in it, from 1 */
byte arrival[NNEST]; byte named[NNEST]; byte window[NNEST]; bool clamped[NNEST];
byte left[NNEST]; byte leftLane[NNEST]; bool opened[NNEST]; byte usedEpoch[NUNIT]; bool refused[NNEST];
byte openU[NNEST]; byte openE[NNEST];          /* the release that holds the gate open */
chan line[NNEST] = [1] of { byte, byte, byte, byte, bool };      /* lane, unit, epoch, arrival, whether the tag is right */
#define GOOD   1
#define REJECT 2
#define FOREIGN 4                           /* a good release that a rogue station sends: P3 and P9 promise nothing */

/* gateway: dialogue of a nest (memory); ledger */
byte askU[NNEST]; byte askE[NNEST]; byte talkU[NNEST]; byte talkE[NNEST]; byte list[NNEST]; byte seen[NNEST];
byte gEpoch[NUNIT]; byte gConfirmed[NUNIT]; byte gVerdict[NUNIT]; byte cPair[NUNIT];   /* epochs: the last of each */
byte gLast[NUNIT];                          /* key pair certified last */
/* backend: requests and answers by nest and by epoch; store */
byte resU[NNEST]; byte resA[NNEST]; byte resReply[NNEST];
byte regU[NNEST]; byte regE[NNEST]; byte regA[NNEST]; byte regReply[NUNIT];
byte rejU[NNEST]; byte rejE[NNEST]; byte rejA[NNEST]; byte rejReply[NNEST];
byte bEpoch[NUNIT]; byte bNest[NUNIT]; byte bOps[NUNIT]; bool bRecord[NUNIT]; byte bConfirmed[NUNIT];
bool bGone[NUNIT]; bool bRejected[NUNIT]; byte bFormer[NUNIT]; byte bArrival[NNEST];
byte relA[NUNIT]; byte relN[NUNIT];         /* the last good release of a unit, of epoch bFormer */
byte divA[NNEST]; byte divU[NNEST];                                           /* the last reject release */
byte outN[NUNIT]; byte outA[NUNIT];         /* nest (from 1) and arrival by which a unit left */
#define NONE_RELEASED 254
#define NONE_REJECTED 255
byte faults;

#define LOSE(n) vSt[n] = dSt[n]; vDo[n] = dDo[n]; vA[n] = dA[n]; vU[n] = dU[n]; vE[n] = dE[n]; vHas[n] = dHas[n]; vReg[n] = dReg[n]
#define KEEP(n) dSt[n] = vSt[n]; dDo[n] = vDo[n]; dA[n] = vA[n]; dU[n] = vU[n]; dE[n] = vE[n]; dHas[n] = vHas[n]; dReg[n] = vReg[n]
#define SYNC(n, rule) dSt[n] = (rule -> vSt[n] : dSt[n]); dDo[n] = (rule -> vDo[n] : dDo[n]); \
  dA[n] = (rule -> vA[n] : dA[n]); dU[n] = (rule -> vU[n] : dU[n]); dE[n] = (rule -> vE[n] : dE[n]); \
  dHas[n] = (rule -> vHas[n] : dHas[n]); dReg[n] = (rule -> vReg[n] : dReg[n])
#define STEP(from, on, to, fact) assert(vSt[n] == S_##from); vSt[n] = TO__##from##__##on##__##to##__##fact; \
  vDo[n] = DO__##from##__##on##__##to##__##fact; at[n] = WRITTEN; inspect[n] = false
/* An append that nothing irreversible follows is one step: lost, it is as if the cut had come before it. */
#define NOTE(from, on, to, fact) STEP(from, on, to, fact); KEEP(n); at[n] = RUNS
#define AFRESH vU[n] = 0; vE[n] = 0; vHas[n] = BIT_none; resReply[n] = 0
#define VACATE vA[n] = 0; vU[n] = 0; vE[n] = 0; vHas[n] = 0; vReg[n] = 0; refused[n] = false; played[n] = 0; resReply[n] = 0
#define IN(state) (vSt[n] == S_##state && at[n] < WRITTEN)
#define BEGINS(action) (vDo[n] == A_##action && at[n] == RUNS)
/* A unit is held for a reason that lasts, or by a deadline, which is a fault. */
#define HOLD(from, reason, to, forget) \
  :: d_step { IN(from) && ((reason) || faults < NFAULT) -> faults = ((reason) -> faults : faults + 1); \
       refused[n] = false; played[n] = 0; forget; NOTE(from, fault, to, held) }
/* The controller names another arrival, or none. */
#define OTHERWISE(from) \
  :: d_step { IN(from) && hA[n] != vA[n] && hLeft[n] != vA[n] -> VACATE; NOTE(from, arrival_ended, vacant, interrupted) }
#define DEPARTS(from, lane, on, fact) \
  :: d_step { IN(from) && hA[n] != vA[n] && hLeft[n] == vA[n] && hLane[n] == lane -> VACATE; NOTE(from, on, vacant, fact) }
/* Reports that a state has no row for are out of turn; the arrival that ended so is heard of when it is held. */
#define HEAR hA[n] = arrival[n]; hLeft[n] = left[n]; hLane[n] = leftLane[n]
#define U (vU[n] - 1)
#define CARD (seat[n] != 0 && (seat[n] == vU[n] || !RULE(SAME_CARD)))
#define X (seat[n] - 1)
/* The gateway derives the key from the EID; without the rule it draws one for each dialogue. */
#define KEY(e) (RULE(DERIVED_KEY) -> 1 : (e))
#define OPENS_CHANNEL (list[n] == 1 || key[X] == KEY(talkE[n]) || !RULE(PROOF))
#define INTENDED (dSt[n] == S_personalizing && dDo[n] == A_play && dU[n] == seat[n] && dE[n] == talkE[n])
#define OURS (talkU[n] == vU[n] && talkE[n] == vE[n])
#define ANSWERED(last) (last == vE[n])
#if NUNIT > 1
#define ANY_REPLY (regReply[0] | regReply[1])
#else
#define ANY_REPLY regReply[0]
#endif

proctype station(byte n) {
end:
  do
  :: d_step { at[n] == WRITTEN -> SYNC(n, RULE(SYNC)); at[n] = RUNS }
  :: d_step { at[n] == STARTED -> SYNC(n, RULE(RESYNC)); HEAR;
       inspect[n] = (vSt[n] != S_vacant && hA[n] == vA[n] && INSPECTED(vDo[n]));
       at[n] = ((vSt[n] == S_vacant || hA[n] == vA[n]) -> RUNS : IDLES) }
  :: d_step { IN(vacant) && hA[n] != 0 -> vA[n] = hA[n]; NOTE(vacant, unit_arrived, clamping, arrived) }
  :: d_step { BEGINS(clamp) && hA[n] == vA[n] && window[n] == 0 -> clamped[n] = true; NOTE(clamping, clamped, identifying, clamped) }
  :: atomic { BEGINS(identify) && seat[n] != 0 ->
       if :: truth[X] == 0 && seat[n] == 1 -> truth[X] = NO_EID :: truth[X] != NO_EID -> skip :: truth[X] == NO_EID -> skip fi;
       vU[n] = seat[n]; vE[n] = 0;
       if :: truth[X] == NO_EID -> vHas[n] = BIT_reject_intent; STEP(identifying, condemned, rejecting, reject_intent)
          :: else -> vHas[n] = BIT_identified; NOTE(identifying, identified, reserving, identified) fi }
  :: d_step { BEGINS(reserve) && hA[n] == vA[n] -> resU[n] = vU[n]; resA[n] = vA[n]; resReply[n] = 0; at[n] = WAITS }
  :: d_step { IN(reserving) && at[n] == WAITS && resReply[n] != 0 && resReply[n] < NONE_RELEASED ->
       vE[n] = resReply[n]; resReply[n] = 0; vHas[n] = vHas[n] | BIT_reserved; NOTE(reserving, reserved, personalizing, reserved) }
  :: d_step { IN(reserving) && at[n] == WAITS && resReply[n] == NONE_REJECTED ->
       resReply[n] = 0; vHas[n] = vHas[n] | BIT_reject_intent; STEP(reserving, condemned, rejecting, reject_intent) }

  /* the dialogue: each list that changes the chip has its intent first */
  :: d_step { BEGINS(personalize) && !inspect[n] -> askU[n] = vU[n]; askE[n] = vE[n]; played[n] = 0; at[n] = WAITS }
  :: d_step { (BEGINS(personalize) || BEGINS(play)) && inspect[n] -> AFRESH; NOTE(personalizing, resume_due, clamping, resumed) }
  :: d_step { IN(personalizing) && at[n] == WAITS && OURS && list[n] == played[n] + 1 && RULE(INTENT) ->
       STEP(personalizing, list_issued, personalizing, intent) }
  :: atomic { IN(personalizing) && (vDo[n] == A_play || !RULE(INTENT)) && !inspect[n] && OURS && list[n] == played[n] + 1 &&
       (at[n] == RUNS || !RULE(INTENT)) && CARD && OPENS_CHANNEL ->
       HOLDS(0, INTENDED && bEpoch[X] != 0);
       if
       :: list[n] == 1 ->
            key[X] = (key[X] == 0 -> KEY(talkE[n]) : key[X]);
            transport[X] = (RULE(DELETE_LAST) -> transport[X] : false)
       :: list[n] == 2 ->
            if :: truth[X] == 0 -> truth[X] = SOUND :: truth[X] == 0 && seat[n] == 1 -> truth[X] = BROKEN :: truth[X] != 0 -> skip fi;
            proved[X] = (truth[X] == SOUND);
            pair[X] = ((pair[X] != 0 && (RULE(PAIR_CERTIFIED) -> gLast[X] == pair[X] : cert[X] != 0)) -> pair[X]
                       : (pair[X] == 1 -> 2 : 1));
            seen[n] = pair[X]
       :: list[n] == 3 ->
            cert[X] = ((RULE(PAIR_CERTIFIED) || gLast[U] == 0) -> seen[n] : gLast[U]); transport[X] = false
       fi;
       HOLDS(8, transport[X] || proved[X]);
       played[n] = list[n]; at[n] = WAITS }
  :: d_step { IN(personalizing) && at[n] == WAITS && ANSWERED(gConfirmed[U]) ->
       played[n] = 0; vHas[n] = vHas[n] | BIT_confirmed; STEP(personalizing, confirmed, registering, confirmed) }
  :: d_step { IN(personalizing) && at[n] == WAITS && ANSWERED(gVerdict[U]) ->
       played[n] = 0; vHas[n] = vHas[n] | BIT_reject_intent; STEP(personalizing, condemned, rejecting, reject_intent) }

  :: d_step { BEGINS(register) && hA[n] == vA[n] -> regU[n] = vU[n]; regE[n] = vE[n];
       regA[n] = (RULE(ARRIVAL_FIRST) -> vA[n] : arrival[n]); at[n] = WAITS }
  :: d_step { IN(registering) && at[n] == WAITS &&
       (ANSWERED(regReply[U]) || !RULE(NO_PUBACK) || (!RULE(OWN_ANSWER) && ANY_REPLY)) ->
       vHas[n] = vHas[n] | BIT_registered; vReg[n] = vE[n]; STEP(registering, registered, judging, registered) }
  :: d_step { BEGINS(judge) -> assert(vHas[n] == (BIT_identified | BIT_reserved | BIT_confirmed | BIT_registered));
       STEP(judging, permitted, releasing, release_intent) }
  :: d_step { BEGINS(open) && hA[n] == vA[n] && nfull(line[n]) && !(inspect[n] && opened[n]) ->
       HOLDS(9, bRecord[U] && ANSWERED(bConfirmed[U]));
       clamped[n] = false; refused[n] = false; line[n]!GOOD,vU[n],vE[n],(RULE(ARRIVAL_FIRST) -> vA[n] : arrival[n]),(bFormer[U] == vE[n]); at[n] = WAITS }

  :: d_step { BEGINS(register_reject) && hA[n] == vA[n] -> rejU[n] = vU[n]; rejE[n] = vE[n]; rejA[n] = vA[n]; at[n] = WAITS }
  :: d_step { IN(rejecting) && at[n] == WAITS && rejReply[n] == vA[n] ->
       vHas[n] = vHas[n] | BIT_reject_registered; STEP(rejecting, reject_registered, diverting, reject_registered) }
  /* its reservation is an old one: the verdict will never be taken, the unit is judged anew */
  :: d_step { IN(rejecting) && at[n] == WAITS && vE[n] != 0 && bEpoch[U] != vE[n] && hA[n] == vA[n] ->
       AFRESH; NOTE(rejecting, resume_due, clamping, resumed) }
  :: d_step { BEGINS(divert) && hA[n] == vA[n] && nfull(line[n]) && !(inspect[n] && opened[n]) ->
       HOLDS(5, divA[n] == vA[n]);
       clamped[n] = false; refused[n] = false; line[n]!REJECT,vU[n],0,vA[n],true; at[n] = WAITS }

  :: d_step { BEGINS(wait) && vSt[n] == S_held && hA[n] == vA[n] -> NOTE(held, resume_due, clamping, resumed) }
  :: d_step { BEGINS(wait) && vSt[n] == S_reject_held && hA[n] == vA[n] -> NOTE(reject_held, resume_due, rejecting, resumed) }
  HOLD(clamping, false, held, AFRESH)
  HOLD(identifying, seat[n] == 0, held, AFRESH)
  HOLD(reserving, at[n] == WAITS && resReply[n] == NONE_RELEASED, held, AFRESH)
  HOLD(personalizing, !inspect[n] && !ANSWERED(gConfirmed[U]) && !ANSWERED(gVerdict[U]) &&
       (at[n] == WAITS && askE[n] == 0 && !OURS || vDo[n] == A_play && at[n] == RUNS && (!OURS || !CARD || !OPENS_CHANNEL)), held, AFRESH)
  HOLD(registering, at[n] == WAITS && bEpoch[U] != vE[n], held, AFRESH)
  HOLD(judging, false, held, AFRESH)
  HOLD(releasing, at[n] == WAITS && refused[n] || inspect[n] && opened[n], held, AFRESH)
  HOLD(rejecting, false, reject_held, skip)
  HOLD(diverting, at[n] == WAITS && refused[n] || inspect[n] && opened[n], reject_held, skip)

  DEPARTS(releasing, GOOD, unit_left, released)
  DEPARTS(clamping, GOOD, unit_left, released)
  DEPARTS(held, GOOD, unit_left, released)
  DEPARTS(diverting, REJECT, unit_diverted, diverted)
  DEPARTS(rejecting, REJECT, unit_diverted, diverted)
  DEPARTS(reject_held, REJECT, unit_diverted, diverted)
  OTHERWISE(clamping) OTHERWISE(identifying) OTHERWISE(reserving) OTHERWISE(personalizing) OTHERWISE(registering)
  OTHERWISE(judging) OTHERWISE(releasing) OTHERWISE(rejecting) OTHERWISE(diverting) OTHERWISE(held) OTHERWISE(reject_held)
  od
}

#define END_TALK talkU[n] = 0; talkE[n] = 0; list[n] = 0; seen[n] = 0
#define W (talkU[n] - 1)
#define NEWEST (talkE[n] >= gEpoch[W] || !RULE(GATEWAY_EPOCH))
proctype gateway(byte n) {
end:
  do
  /* admits a dialogue of no older epoch than any it was shown; the ledger holds that */
  :: d_step { askE[n] != 0 && (askE[n] >= gEpoch[askU[n] - 1] || !RULE(GATEWAY_EPOCH)) ->
       talkU[n] = askU[n]; talkE[n] = askE[n]; list[n] = 0; seen[n] = 0; askU[n] = 0; askE[n] = 0;
       gEpoch[W] = (talkE[n] > gEpoch[W] -> talkE[n] : gEpoch[W]) }
  :: d_step { askE[n] != 0 && askE[n] < gEpoch[askU[n] - 1] && RULE(GATEWAY_EPOCH) ->
       END_TALK; askU[n] = 0; askE[n] = 0 }
  /* judges every answer to a list before it makes the next, and writes its intent */
  :: d_step { talkE[n] != 0 && NEWEST && played[n] == list[n] && list[n] < 3 && !(list[n] == 2 && truth[W] != SOUND) ->
       gLast[W] = (list[n] == 2 && RULE(PAIR_CERTIFIED) || gLast[W] == 0 -> seen[n] : gLast[W]);
       list[n] = list[n] + 1 }
  :: d_step { talkE[n] != 0 && NEWEST && played[n] == 3 && list[n] == 3 ->
       gConfirmed[W] = talkE[n]; cPair[W] = seen[n]; END_TALK }
  :: d_step { talkE[n] != 0 && NEWEST && played[n] == 2 && list[n] == 2 && truth[W] != SOUND ->
       gVerdict[W] = talkE[n]; END_TALK }
  od
}

/* What a report says of departures: a unit that left by an earlier arrival of this controller is gone. */
#define LEARN_OF(u, n, a) bGone[u] = (bGone[u] || outN[u] == n + 1 && outA[u] < a)
#if NUNIT > 1
#define LEARN(n, a) bArrival[n] = (a > bArrival[n] -> a : bArrival[n]); LEARN_OF(0, n, a); LEARN_OF(1, n, a)
#else
#define LEARN(n, a) bArrival[n] = (a > bArrival[n] -> a : bArrival[n]); LEARN_OF(0, n, a)
#endif
/* The former release of a unit cannot be used any more: its arrival has ended, or is the one that is present. */
#define VOID(u, n, a) (bFormer[u] == 0 || !RULE(FORMER_VOID) || \
  (relN[u] == n -> a >= relA[u] : bArrival[relN[u]] > relA[u]))
#define V (resU[n] - 1)
#define R (regU[n] - 1)
#define J (rejU[n] - 1)
proctype backend(byte n) {
end:
  do
  :: d_step { resU[n] != 0 && bEpoch[V] < EPOCHS - 1 -> LEARN(n, resA[n]);
       resReply[n] = (bRejected[V] -> NONE_REJECTED : (bGone[V] -> NONE_RELEASED : bEpoch[V] + 1));
       bOps[V] = (bEpoch[V] == 0 -> 1 : ((RULE(UNIQUE) || bNest[V] == n) -> bOps[V] : 2));
       bNest[V] = (resReply[n] < NONE_RELEASED -> n : bNest[V]);
       bEpoch[V] = ((resReply[n] < NONE_RELEASED && RULE(RESERVATION)) -> resReply[n] : bEpoch[V]);
       resU[n] = 0; resA[n] = 0 }
  /* one commit: record, confirmation, release. Answered afterwards, and as often as asked. */
  :: d_step { regU[n] != 0 && bFormer[R] != regE[n] && !bGone[R] && !bRejected[R] && bNest[R] == n &&
       (regE[n] == bEpoch[R] || !RULE(BACKEND_EPOCH)) && VOID(R, n, regA[n]) -> LEARN(n, regA[n]);
       bRecord[R] = true; bConfirmed[R] = (RULE(ONE_COMMIT) -> regE[n] : bConfirmed[R]);
       bFormer[R] = regE[n]; relN[R] = n; relA[R] = regA[n] }
  :: d_step { regU[n] != 0 && (bFormer[R] == regE[n] || !RULE(COMMIT_FIRST)) ->
       regReply[R] = regE[n]; regU[n] = 0; regE[n] = 0; regA[n] = 0 }
  /* a verdict of the present epoch closes the operation; what the station judged by itself leaves on its claim */
  :: d_step { rejU[n] != 0 && divA[n] != rejA[n] && (rejE[n] == 0 || rejE[n] == bEpoch[J] && VOID(J, n, rejA[n])) ->
       LEARN(n, rejA[n]); bRejected[J] = (bRejected[J] || rejE[n] != 0);
       divA[n] = rejA[n]; divU[n] = rejU[n] }
  :: d_step { rejU[n] != 0 && (divA[n] == rejA[n] || !RULE(RECEIPT_FIRST)) -> rejReply[n] = rejA[n]; rejU[n] = 0; rejE[n] = 0; rejA[n] = 0 }
  od
}

#define FOR_THIS (genuine || !RULE(TAG)) && (a == arrival[n] || !RULE(ARRIVAL))
#define DIVERTED (divA[n] == arrival[n] || !RULE(TAG))
/* A unit that was taken away is a new arrival; so is one behind a gate that has closed. */
#define NAME(n) named[n]++; arrival[n] = named[n]; opened[n] = false
#define SHUT(n) window[n] = 0; openU[n] = 0; openE[n] = 0
#define EMPTY(n) seat[n] = 0; arrival[n] = 0; clamped[n] = false
#define OPENS(lane, u, e) window[n] = lane; openU[n] = u; openE[n] = e; opened[n] = true; \
  usedEpoch[u - 1] = (lane == REJECT -> usedEpoch[u - 1] : e)
proctype controller(byte n) {
  byte lane, u, e, a; bool genuine, ok;
end:
  do
  :: d_step { line[n]?lane,u,e,a,genuine ->
       ok = seat[n] != 0 && window[n] == 0 && !clamped[n] && (lane == REJECT -> DIVERTED : (FOR_THIS));
       HOLDS(6, !ok || !opened[n]);
       HOLDS(6, !ok || lane == REJECT || e >= usedEpoch[u - 1]);
       refused[n] = !ok;
       if
       :: ok -> OPENS(lane, u, e)
       :: else -> HEAR                      /* a refusal is a report */
       fi;
       lane = 0; u = 0; e = 0; a = 0; genuine = false; ok = false }
  od
}

/* a report on its way: it may be old when the station acts on it */
proctype report(byte n) {
end:
  do
  :: d_step { at[n] != STARTED && hA[n] != arrival[n] -> HEAR }
  od
}

/* what moves through an open gate: a process of its own, because nothing that is asked can keep it from going */
proctype conveyor(byte n) {
end:
  do
  :: d_step { seat[n] != 0 && !clamped[n] && (window[n] == GOOD || window[n] == FOREIGN) ->
       HOLDS(1, seat[n] == openU[n] && bRecord[X] && bConfirmed[X] >= openE[n] && key[X] == KEY(openE[n]));
       HOLDS(2, pair[X] != 0 && cert[X] == pair[X] && gLast[X] == pair[X] && cPair[X] == pair[X]);
       HOLDS(3, window[n] == FOREIGN || dA[n] == arrival[n] && dReg[n] >= openE[n]);
       HOLDS(4, truth[X] == SOUND && !bRejected[X]);
       HOLDS(7, went[X] == 0 && bOps[X] == 1);
       HOLDS(8, !transport[X]);
       went[X] = GOOD; place[X] = AWAY; outN[X] = n + 1; outA[X] = arrival[n];
       left[n] = arrival[n]; leftLane[n] = GOOD; SHUT(n); EMPTY(n) }
  :: d_step { seat[n] != 0 && !clamped[n] && window[n] == REJECT ->
       HOLDS(5, divA[n] == arrival[n] && divU[n] == seat[n] && (dHas[n] & BIT_reject_registered));
       went[X] = REJECT; place[X] = AWAY; outN[X] = n + 1; outA[X] = arrival[n];
       left[n] = arrival[n]; leftLane[n] = REJECT; SHUT(n); EMPTY(n) }
  /* nothing leaves through a gate whose unit is clamped: it closes, and the unit has another name */
  :: d_step { window[n] != 0 && clamped[n] -> SHUT(n); NAME(n) }
  od
}

#define FEED(x, n) :: d_step { place[x] == SUPPLY && went[x] == 0 && seat[n] == 0 -> place[x] = NEST; seat[n] = x + 1; NAME(n) }
#define CLEAR(n) :: d_step { seat[n] != 0 && window[n] == 0 && went[X] != 0 && at[n] != WRITTEN -> place[X] = AWAY; EMPTY(n) }
/* No fault is left to bring a unit back: what is known of it makes no difference any more. */
#define GONE(x) :: d_step { place[x] == AWAY && faults >= NFAULT && bOps[x] != 0 && !LISTED(x) -> key[x] = 0; transport[x] = false; proved[x] = false; \
       pair[x] = 0; cert[x] = 0; truth[x] = SOUND; usedEpoch[x] = 0; gEpoch[x] = 0; gConfirmed[x] = 0; gVerdict[x] = 0; cPair[x] = 0; \
       gLast[x] = 0; bEpoch[x] = 0; bNest[x] = 0; bOps[x] = 0; bRecord[x] = false; bConfirmed[x] = 0; bGone[x] = true; \
       bRejected[x] = false; bFormer[x] = 0; relA[x] = 0; relN[x] = 0; outN[x] = 0; outA[x] = 0; regReply[x] = 0 }
#if NNEST > 1
#define LISTED(x) (vU[0] == x + 1 || vU[1] == x + 1)
#else
#define LISTED(x) (vU[0] == x + 1)
#endif
proctype supply() {
end:
  do
  FEED(0, 0) GONE(0)
#if NUNIT > 1
  FEED(1, 0) GONE(1)
#endif
#if NNEST > 1
  FEED(0, 1)
#if NUNIT > 1
  FEED(1, 1)
#endif
#endif
  od
}

#define FAULT_IF(matters) faults < NFAULT && (matters) -> faults++
#define BUSY (vSt[n] != S_vacant || at[n] == WRITTEN)
#define CLOSE(n) SHUT(n); if :: seat[n] != 0 -> NAME(n) :: else -> skip fi
#define DIE(n) at[n] = STARTED; played[n] = 0; inspect[n] = false; hA[n] = 0; refused[n] = false
#define BACK(x) :: d_step { faults < NFAULT && seat[n] == 0 && place[x] == AWAY -> faults++; place[x] = NEST; seat[n] = x + 1; NAME(n) }
/* A rogue station sends the last release that was given for this unit, or forges one; a refusal changes nothing. */
#define ROGUE (bFormer[X] != 0 && relN[X] == n && relA[X] == arrival[n] || !RULE(TAG))
#define FORGET(n) if :: nempty(line[n]) -> line[n]?_,_,_,_,_ :: empty(line[n]) -> skip fi
proctype chaos(byte n) {
end:
  do
  :: d_step { FAULT_IF(BUSY); DIE(n) }                                                              /* kill -9 */
  :: atomic { FAULT_IF(BUSY || window[n] != 0); DIE(n); CLOSE(n); FORGET(n); clamped[n] = false;                         /* power cut */
       if :: LOSE(n) :: KEEP(n) fi }
  :: d_step { FAULT_IF(seat[n] != 0 && window[n] == 0); CLOSE(n); FORGET(n) }                                    /* controller reset */
  :: d_step { faults < NFAULT && window[n] != 0 -> faults++; CLOSE(n) }                      /* gate time-out */
  :: d_step { faults < NFAULT && seat[n] != 0 -> faults++; place[X] = SUPPLY;                /* taken by hand */
       openU[n] = (RULE(CLOSE_ON_LOSS) -> 0 : openU[n]); openE[n] = (RULE(CLOSE_ON_LOSS) -> 0 : openE[n]);
       window[n] = (RULE(CLOSE_ON_LOSS) -> 0 : window[n]); EMPTY(n) }
  BACK(0)                                                                                    /* brought back */
#if NUNIT > 1
  BACK(1)
#endif
  :: d_step { FAULT_IF(talkE[n] != 0); END_TALK }   /* gateway crash */
#if !defined(LIVE) || defined(REPLAY)
  :: d_step { faults < NFAULT && seat[n] != 0 && vE[n] != 0 && vU[n] == seat[n] && bEpoch[X] == vE[n] && bEpoch[X] < EPOCHS - 1 && !bGone[X] && !bRejected[X] ->
       faults++; bEpoch[X] = bEpoch[X] + 1 }                                                 /* an old reservation request again */
#endif
  :: d_step { faults < NFAULT && seat[n] != 0 && window[n] == 0 && ROGUE -> faults++; clamped[n] = false;   /* rogue station */
       HOLDS(6, !opened[n] && bFormer[X] >= usedEpoch[X]);
       OPENS(FOREIGN, seat[n], bFormer[X]) }
  CLEAR(n)
  od
}

init {
  atomic {
    run supply();
    run station(0); run gateway(0); run backend(0); run controller(0); run conveyor(0); run report(0); run chaos(0);
#if NNEST > 1
    run station(1); run gateway(1); run backend(1); run controller(1); run conveyor(1); run report(1); run chaos(1);
#endif
  }
}
#ifdef LIVE
#if NUNIT > 1
ltl live { <> (went[0] != 0 && went[1] != 0) }
#else
ltl live { <> (went[0] != 0) }
#endif
#endif
