/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef AUTH_STAGE_H
#define AUTH_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base_time.h"

/**
 * @file
 * Changing what a group's adverts are signed with - password, VIPs - without a split. Pure: two
 * identities, the old and the new, and time as an argument; which digests those are is the
 * caller's affair.
 *
 * Backups are silent, so whether a peer is ready for the new digest cannot be heard. So both are
 * accepted for two windows, from the start on, and this is what a MASTER sends:
 *
 *   STAGED   (the first window, until somebody decides): both.
 *   DECIDED  (for the old or the new one, to the end of the second window): that one alone; both,
 *            while whoever was heard since uses the other one alone.
 *
 * An operator decides, by commit or abort. At the end of the first window the box does: for the
 * new one if a peer was heard that has committed, else for the old one. At the end of the second
 * window a BACKUP follows the master, whatever was decided here: as long as the master sends both
 * it waits. A MASTER drops the other identity, unless a peer was heard that uses that alone.
 * A box in INIT hears nobody, so no window of its ends before it has been up for that long; nor
 * does the second one of a MASTER before it has been one for that long.
 *
 * So two boxes that were staged within one window of each other are never deaf to each other, in
 * whatever order they are staged, committed, aborted or change places; but a MASTER is not to
 * commit what nobody else has. It learns so when a peer takes over, sends both then, and goes
 * back in the end. docs/change.md has the table of cases, tests/unit/auth/test_auth_stage.c runs
 * them.
 * @thread one thread per object: the control lcore
 */

enum auth_identity {
	AUTH_OLD,
	AUTH_NEW,
	AUTH_IDENTITIES,
};

enum auth_stage_phase {
#define AUTH_STAGE(sym, name) AUTH_STAGE_##sym,
#include "auth_stage.def"
#undef AUTH_STAGE
	AUTH_STAGE_COUNT
};
const char *auth_stage_name(enum auth_stage_phase p);

/** What the passing of time led to. */
enum auth_stage_step {
#define AUTH_STAGE_STEP(sym, name, text) AUTH_STAGE_STEP_##sym,
#include "auth_stage_step.def"
#undef AUTH_STAGE_STEP
	AUTH_STAGE_STEP_COUNT
};
const char *auth_stage_step_name(enum auth_stage_step s);
const char *auth_stage_step_text(enum auth_stage_step s);

/** So many adverts in a row with one digest alone: who speaks uses no other. */
#define AUTH_STAGE_ROW 3
/**
 * The same for who decides by a last word: of two digests one may have been lost once, but seldom
 * twice.
 */
#define AUTH_STAGE_ROW_WORD 2
/** The same for a BACKUP that would drop the other one: it can wait, and must not be wrong. */
#define AUTH_STAGE_ROW_SURE 8

/** All zero: nothing is staged. */
struct auth_stage {
	uint8_t phase;	  /**< enum auth_stage_phase */
	uint8_t running;  /**< enum auth_identity: what is signed with; staged: the old one */
	bool by_operator; /**< who decided */
	/** Identity of the advert heard last, how many in a row with it alone; 0: none, or both. */
	uint8_t last, row;
	base_ns_t window_ns;
	base_ns_t not_master; /**< last seen so; 0: never */
	base_ns_t until; /**< end of the phase; a BACKUP that waits is past it, INIT puts it off */
};

/** Where the group stands in the election; handing over is INIT or BACKUP. */
enum auth_stage_place {
	AUTH_STAGE_INIT, /**< it neither hears nor is heard */
	AUTH_STAGE_BACKUP,
	AUTH_STAGE_MASTER,
};

/**
 * Begin: both are accepted from now on. Nothing may be staged.
 * @param behind  the group is BACKUP and has a master, who uses the old one, as far as is known
 */
void auth_stage_begin(struct auth_stage *s, bool behind, base_ns_t window_ns, base_ns_t now);

/**
 * An operator commits (NEW) or aborts (OLD).
 * @param place  if not BACKUP, what was heard before does not count any more
 * @return false: there is nothing to decide, nothing was changed
 */
bool auth_stage_decide(struct auth_stage *s, enum auth_stage_place place, enum auth_identity which);

/**
 * A good advert was heard, with this digest.
 * @param second  of two that were sent as one, with both digests
 */
void auth_stage_heard(struct auth_stage *s, enum auth_identity which, bool second);

/**
 * The identity of an advert that a MASTER sends as its n-th, from 0 on, each time it advertises;
 * where there are two the running one is the last, so that a peer that heard one advert and
 * takes over heard what runs here.
 * @return false: there are no more
 */
bool auth_stage_send(const struct auth_stage *s, unsigned int n, enum auth_identity *which);

/**
 * Let time pass.
 * @return END_*: nothing is staged any more, and s->running is what stays
 */
enum auth_stage_step auth_stage_tick(
	struct auth_stage *s, enum auth_stage_place place, base_ns_t now);

#endif
