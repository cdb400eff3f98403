/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "auth_stage.h"

const char *
auth_stage_name(enum auth_stage_phase p)
{
	static const char *const names[] = {
#define AUTH_STAGE(sym, name) name,
#include "auth_stage.def"
#undef AUTH_STAGE
	};

	return names[p];
}

const char *
auth_stage_step_name(enum auth_stage_step s)
{
	static const char *const names[] = {
#define AUTH_STAGE_STEP(sym, name, text) name,
#include "auth_stage_step.def"
#undef AUTH_STAGE_STEP
	};

	return names[s];
}

const char *
auth_stage_step_text(enum auth_stage_step s)
{
	static const char *const texts[] = {
#define AUTH_STAGE_STEP(sym, name, text) text,
#include "auth_stage_step.def"
#undef AUTH_STAGE_STEP
	};

	return texts[s];
}

void
auth_stage_begin(struct auth_stage *s, bool behind, base_ns_t window_ns, base_ns_t now)
{
	*s = (struct auth_stage){
		.phase = AUTH_STAGE_STAGED,
		.running = AUTH_OLD,
		.last = AUTH_OLD,
		.row = behind ? AUTH_STAGE_ROW : 0,
		.window_ns = window_ns,
		.until = base_ns_add(now, window_ns),
	};
}

/* Whoever was heard uses the identity that does not run here, and no other. */
static bool
others_differ(const struct auth_stage *s, uint8_t row)
{
	return s->row >= row && s->last != s->running;
}

/* The second window counts from the end of the first, whoever decided and when. */
static void
decide(struct auth_stage *s, enum auth_stage_place place, enum auth_identity which,
	bool by_operator)
{
	s->phase = AUTH_STAGE_DECIDED;
	s->running = (uint8_t)which;
	s->by_operator = by_operator;
	s->until = base_ns_add(s->until, s->window_ns);
	/* From now on: who cannot hear us? */
	if (place != AUTH_STAGE_BACKUP)
		s->row = 0;
}

bool
auth_stage_decide(struct auth_stage *s, enum auth_stage_place place, enum auth_identity which)
{
	if (s->phase != AUTH_STAGE_STAGED)
		return false;
	decide(s, place, which, true);
	return true;
}

/* In whatever order the two come, they say the same: who speaks uses both. */
void
auth_stage_heard(struct auth_stage *s, enum auth_identity which, bool second)
{
	if (second || s->last != which)
		s->row = 0;
	s->last = (uint8_t)which;
	if (!second && s->row < UINT8_MAX)
		s->row++;
}

bool
auth_stage_send(const struct auth_stage *s, unsigned int n, enum auth_identity *which)
{
	bool both = s->phase == AUTH_STAGE_STAGED ||
		(s->phase == AUTH_STAGE_DECIDED && others_differ(s, AUTH_STAGE_ROW));

	if (n > both)
		return false;
	*which = (enum auth_identity)(n < both ? AUTH_NEW - s->running : s->running);
	return true;
}

/* The first window is over, and nobody has decided. */
static enum auth_stage_step
decide_late(struct auth_stage *s, enum auth_stage_place place)
{
	/* A BACKUP can be sure, and follows once more at the end. */
	bool committed = others_differ(
		s, place == AUTH_STAGE_BACKUP ? AUTH_STAGE_ROW_SURE : AUTH_STAGE_ROW_WORD);

	decide(s, place, committed ? AUTH_NEW : AUTH_OLD, false);
	return committed ? AUTH_STAGE_STEP_ADOPTED : AUTH_STAGE_STEP_REVERTED;
}

static enum auth_stage_step
end(struct auth_stage *s, enum auth_stage_place place, base_ns_t now)
{
	bool follows =
		others_differ(s, place == AUTH_STAGE_BACKUP ? AUTH_STAGE_ROW_SURE : AUTH_STAGE_ROW);

	/*
	 * As long as the master sends both, either may be what stays. Who is master at last has not
	 * heard yet who cannot hear it.
	 */
	if (place == AUTH_STAGE_MASTER ? now < base_ns_add(s->not_master, s->window_ns)
				       : s->row < AUTH_STAGE_ROW_SURE)
		return AUTH_STAGE_STEP_NOTHING;
	if (follows)
		s->running = s->last;
	s->phase = AUTH_STAGE_NONE;
	if (s->running == AUTH_OLD)
		return follows ? AUTH_STAGE_STEP_FOLLOWED_OLD : AUTH_STAGE_STEP_END_OLD;
	return follows ? AUTH_STAGE_STEP_FOLLOWED_NEW : AUTH_STAGE_STEP_END_NEW;
}

enum auth_stage_step
auth_stage_tick(struct auth_stage *s, enum auth_stage_place place, base_ns_t now)
{
	base_ns_t put_off = base_ns_add(now, s->window_ns);

	if (place == AUTH_STAGE_INIT) {
		s->until = put_off > s->until ? put_off : s->until;
		/* what it heard last may be half of two, and old once it is up again */
		s->row = 0;
	}
	if (place != AUTH_STAGE_MASTER)
		s->not_master = now;
	if (s->phase == AUTH_STAGE_NONE || now < s->until)
		return AUTH_STAGE_STEP_NOTHING;
	return s->phase == AUTH_STAGE_STAGED ? decide_late(s, place) : end(s, place, now);
}
