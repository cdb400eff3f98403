/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "auth_replay.h"

#include <string.h>

#define END    UINT16_MAX /* of a chain */
#define OURS   0xfe	  /* in place of the index of a source */
#define NOBODY 0xff

#define FRESH_ENOUGH 3
#define SAME_ENOUGH  3

/* How far ahead of a known one a counter still follows on it: some in between are lost or late. */
#define FOLLOWS_MAX 4

const char *
auth_replay_name(enum auth_replay_verdict v)
{
	static const char *const names[] = {
#define AUTH_REPLAY(sym, name) name,
#include "auth_replay.def"
#undef AUTH_REPLAY
	};

	return names[v];
}

const char *
auth_replay_class_name(enum auth_replay_class c)
{
	static const char *const names[] = {
#define AUTH_REPLAY_CLASS(sym, name, text) name,
#include "auth_replay_class.def"
#undef AUTH_REPLAY_CLASS
	};

	return names[c];
}

const char *
auth_replay_class_text(enum auth_replay_class c)
{
	static const char *const texts[] = {
#define AUTH_REPLAY_CLASS(sym, name, text) text,
#include "auth_replay_class.def"
#undef AUTH_REPLAY_CLASS
	};

	return texts[c];
}

void
auth_replay_init(struct auth_replay *r, bool strict, base_ns_t master_down_ns)
{
	memset(r, 0, sizeof(*r));
	r->strict = strict;
	r->master_down_ns = master_down_ns;
	for (size_t i = 0; i < sizeof(r->head) / sizeof(r->head[0]); i++)
		r->head[i] = END;
}

void
auth_replay_set_timing(struct auth_replay *r, base_ns_t master_down_ns)
{
	r->master_down_ns = master_down_ns;
}

/* Counters come in a row as well as at random: spread both (Fibonacci hashing). */
static uint8_t
hash(uint64_t counter)
{
	return (uint8_t)(counter * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

static struct auth_replay_seen *
find(struct auth_replay *r, uint64_t counter)
{
	for (uint16_t i = r->head[hash(counter)]; i != END; i = r->seen[i].next)
		if (r->seen[i].counter == counter)
			return &r->seen[i];
	return NULL;
}

static void
unlink_slot(struct auth_replay *r, uint16_t slot)
{
	uint16_t *at = &r->head[hash(r->seen[slot].counter)];

	while (*at != slot)
		at = &r->seen[*at].next;
	*at = r->seen[slot].next;
}

/* Make a place for a counter, that of the oldest. */
static struct auth_replay_seen *
insert(struct auth_replay *r, uint64_t counter)
{
	uint16_t slot = r->next_slot;
	struct auth_replay_seen *e = &r->seen[slot];
	uint16_t *head = &r->head[hash(counter)];

	if (e->order != 0) {
		unlink_slot(r, slot);
		if (e->counter > r->floor)
			r->floor = e->counter;
	}
	memset(e, 0, sizeof(*e));
	e->counter = counter;
	e->next = *head;
	*head = slot;
	r->next_slot = (uint16_t)((slot + 1) % AUTH_REPLAY_KEPT);
	return e;
}

static bool
same_addr(const struct base_addr *a, const struct base_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool
is_unspecified(const struct base_addr *a)
{
	static const uint8_t zero[sizeof(a->bytes)];

	return memcmp(a->bytes, zero, sizeof(zero)) == 0;
}

static uint8_t
find_peer(const struct auth_replay *r, const struct base_addr *addr)
{
	for (uint8_t i = 0; i < AUTH_REPLAY_SOURCES; i++)
		if (r->peers[i].addr.family != BASE_FAMILY_NONE &&
			same_addr(&r->peers[i].addr, addr))
			return i;
	return NOBODY;
}

static bool
is_changing(const struct auth_replay *r, uint8_t peer)
{
	return peer < AUTH_REPLAY_SOURCES && r->peers[peer].cls == AUTH_REPLAY_CLASS_CHANGING;
}

/* A source goes; what it sent stays guarded if it was. */
static void
drop_peer(struct auth_replay *r, uint8_t peer)
{
	bool changing = is_changing(r, peer);

	for (uint16_t i = 0; i < AUTH_REPLAY_KEPT; i++) {
		if (r->seen[i].first == peer) {
			r->seen[i].first = NOBODY;
			r->seen[i].guarded = r->seen[i].guarded || changing;
		}
		if (r->seen[i].last == peer)
			r->seen[i].last = NOBODY;
	}
	memset(&r->peers[peer], 0, sizeof(r->peers[peer]));
}

/* Who goes when another comes: one of whom nothing is known yet, if there is one. */
static bool
goes_before(const struct auth_replay_peer *a, const struct auth_replay_peer *b)
{
	bool a_unknown = a->cls == AUTH_REPLAY_CLASS_UNKNOWN;
	bool b_unknown = b->cls == AUTH_REPLAY_CLASS_UNKNOWN;

	return a_unknown != b_unknown ? a_unknown : a->heard < b->heard;
}

static uint8_t
add_peer(struct auth_replay *r, const struct base_addr *addr)
{
	uint8_t victim = 0;

	for (uint8_t i = 0; i < AUTH_REPLAY_SOURCES; i++) {
		if (r->peers[i].addr.family == BASE_FAMILY_NONE) {
			r->peers[i].addr = *addr;
			return i;
		}
		if (goes_before(&r->peers[i], &r->peers[victim]))
			victim = i;
	}
	drop_peer(r, victim);
	r->peers[victim].addr = *addr;
	return victim;
}

/* A counter that nobody sent before: learn about its source. */
static void
learn_fresh(struct auth_replay *r, struct auth_replay_peer *p, uint64_t counter, bool follows_on,
	base_ns_t now)
{
	uint8_t enough = follows_on ? FRESH_ENOUGH - 1 : FRESH_ENOUGH;
	bool changes;

	if (p->fresh < FRESH_ENOUGH)
		p->fresh++;
	/* fresh_at[enough - 2] is when the first of these came. */
	changes = p->fresh >= enough &&
		base_ns_since(now, p->fresh_at[enough - 2]) <= 3 * r->master_down_ns;
	if (changes && p->cls == AUTH_REPLAY_CLASS_UNKNOWN)
		p->cls = AUTH_REPLAY_CLASS_CHANGING;
	else if (changes && p->cls == AUTH_REPLAY_CLASS_CONSTANT)
		p->cls = AUTH_REPLAY_CLASS_MIXED;
	p->fresh_at[1] = p->fresh_at[0];
	p->fresh_at[0] = now;
	p->counts = p->counts || follows_on;
	p->counter = counter;
	p->counter_at = now;
	p->same = 1;
}

/* A counter of its own that a source repeats. */
static void
learn_same(struct auth_replay *r, struct auth_replay_peer *p, uint64_t counter, base_ns_t now)
{
	if (p->counter != counter)
		return;
	if (p->same < SAME_ENOUGH)
		p->same++;
	if (p->same >= SAME_ENOUGH && p->cls == AUTH_REPLAY_CLASS_UNKNOWN &&
		base_ns_since(now, p->counter_at) >= r->master_down_ns / 2)
		p->cls = AUTH_REPLAY_CLASS_CONSTANT;
}

static void
take(struct auth_replay *r, struct auth_replay_seen *e, const struct auth_replay_advert *a,
	uint8_t peer, base_ns_t now)
{
	e->order = ++r->order;
	e->at = now;
	e->last = peer;
	e->advbase = a->advbase;
	e->advskew = a->advskew;
	e->demotion = a->demotion;
	e->bow_out = a->bow_out;
	if (peer < AUTH_REPLAY_SOURCES)
		r->peers[peer].heard = now;
}

static bool
is_guarded(const struct auth_replay *r, const struct auth_replay_seen *e)
{
	return e->guarded || e->first == OURS || is_changing(r, e->first);
}

/*
 * May its sender have counted on from something taken since, or from what is not guarded and so
 * may come at any time?
 */
static bool
is_explained(struct auth_replay *r, const struct auth_replay_seen *e)
{
	/* What we send is random, and follows on nothing. */
	if (e->first == OURS)
		return false;
	for (uint64_t k = 1; k <= AUTH_REPLAY_GAP; k++) {
		const struct auth_replay_seen *before = find(r, e->counter - k);

		if (before != NULL && (before->order > e->order || !is_guarded(r, before)))
			return true;
	}
	return false;
}

/* Does a counter follow on one that is known? */
static bool
follows(struct auth_replay *r, uint64_t counter)
{
	for (uint64_t k = 1; k <= FOLLOWS_MAX; k++)
		if (find(r, counter - k) != NULL)
			return true;
	return false;
}

/* Is it the second bow-out of a box with two families, to whose first a backup has answered? */
static bool
is_second_bow_out(struct auth_replay *r, const struct auth_replay_advert *a, base_ns_t now)
{
	const struct auth_replay_seen *before = find(r, a->counter - 1);

	return before != NULL && before->bow_out &&
		base_ns_since(now, before->at) <= r->master_down_ns / 3;
}

/* Peers that count send no demotion, and all of a group have one advbase; the skew is their own. */
static bool
may_be_anothers(const struct auth_replay_seen *e, const struct auth_replay_advert *a)
{
	return e->bow_out || (a->advbase == e->advbase && a->demotion == e->demotion);
}

static bool
is_collision(struct auth_replay *r, const struct auth_replay_seen *e,
	const struct auth_replay_advert *a, uint8_t peer, base_ns_t now)
{
	return e->first < AUTH_REPLAY_SOURCES && r->peers[e->first].counts &&
		(peer == NOBODY || peer != e->last) &&
		base_ns_since(now, e->at) <= 2 * r->master_down_ns &&
		(a->bow_out ? is_second_bow_out(r, a, now) : may_be_anothers(e, a));
}

static bool
is_duplicate(const struct auth_replay *r, const struct auth_replay_seen *e,
	const struct auth_replay_advert *a, uint8_t peer, base_ns_t now)
{
	return e->first != OURS && peer == e->last && a->advbase == e->advbase &&
		a->advskew == e->advskew && a->demotion == e->demotion &&
		base_ns_since(now, e->at) <= r->master_down_ns / 3;
}

static enum auth_replay_verdict
check_default(struct auth_replay *r, const struct auth_replay_advert *a, uint8_t *peer, bool shared,
	struct auth_replay_seen *e, base_ns_t now)
{
	if (e == NULL) {
		bool on = follows(r, a->counter);

		if (*peer == NOBODY && !shared)
			*peer = add_peer(r, &a->src);
		e = insert(r, a->counter);
		e->first = *peer;
		if (*peer != NOBODY)
			learn_fresh(r, &r->peers[*peer], a->counter, on, now);
		take(r, e, a, *peer, now);
		return AUTH_REPLAY_OK;
	}
	if (is_guarded(r, e) && !is_explained(r, e)) {
		if (is_collision(r, e, a, *peer, now))
			return AUTH_REPLAY_OK;
		return is_duplicate(r, e, a, *peer, now) ? AUTH_REPLAY_DUPLICATE
							 : AUTH_REPLAY_REPLAY;
	}
	if (*peer != NOBODY && *peer == e->first)
		learn_same(r, &r->peers[*peer], a->counter, now);
	take(r, e, a, *peer, now);
	return AUTH_REPLAY_OK;
}

/* Our time less that of a counter, in nanoseconds; 0 for one that carries none. */
static int64_t
behind_ns(uint64_t counter, uint64_t unix_ns)
{
	uint64_t us;

	return auth_strict_time(counter, &us) ? (int64_t)(unix_ns - us * BASE_NS_PER_US) : 0;
}

/* How much older a counter is than another, both with a time in them and in this order. */
static base_ns_t
older_ns(uint64_t counter, uint64_t than)
{
	uint64_t a = 0, b = 0;

	return auth_strict_time(counter, &a) && auth_strict_time(than, &b)
		? (b - a) * BASE_NS_PER_US
		: 0;
}

static enum auth_replay_verdict
check_strict(struct auth_replay *r, const struct auth_replay_advert *a, uint8_t *peer, bool shared,
	struct auth_replay_seen *e, base_ns_t now, uint64_t unix_ns)
{
	const int64_t window = (int64_t)AUTH_STRICT_WINDOW_NS;
	struct auth_replay_peer *p = *peer == NOBODY ? NULL : &r->peers[*peer];
	int64_t behind = behind_ns(a->counter, unix_ns);
	uint64_t us;

	if (!auth_strict_time(a->counter, &us))
		return AUTH_REPLAY_NOT_STRICT;
	if (behind > window || behind < -window)
		return AUTH_REPLAY_STALE;
	if (e != NULL)
		return is_duplicate(r, e, a, *peer, now) ? AUTH_REPLAY_DUPLICATE
							 : AUTH_REPLAY_REPLAY;
	/* What lies further ahead than anything may is from before our clock was put back. */
	if (behind_ns(r->floor, unix_ns) < -window)
		r->floor = 0;
	if (p != NULL && behind_ns(p->counter, unix_ns) < -window)
		p->counter = 0;
	/* At a very high rate memory holds less than the window: what is older is not known. */
	if (a->counter <= r->floor)
		return AUTH_REPLAY_STALE;
	if (p != NULL && a->counter < p->counter &&
		older_ns(a->counter, p->counter) > r->master_down_ns / 3)
		return AUTH_REPLAY_REPLAY;

	if (*peer == NOBODY && !shared)
		*peer = add_peer(r, &a->src);
	if (*peer != NOBODY && a->counter > r->peers[*peer].counter)
		r->peers[*peer].counter = a->counter;
	e = insert(r, a->counter);
	e->first = *peer;
	take(r, e, a, *peer, now);
	return AUTH_REPLAY_OK;
}

enum auth_replay_verdict
auth_replay_check(struct auth_replay *r, const struct auth_replay_advert *a, base_ns_t now,
	uint64_t unix_ns, struct auth_replay_report *why)
{
	struct auth_replay_seen *e = find(r, a->counter);
	bool shared = a->shared_src || is_unspecified(&a->src);
	uint8_t peer = shared ? NOBODY : find_peer(r, &a->src);
	struct auth_replay_report report = {0};
	enum auth_replay_verdict v;

	if (e != NULL) {
		report.ours = e->first == OURS;
		report.age = base_ns_since(now, e->at);
		if (e->first < AUTH_REPLAY_SOURCES)
			report.first = r->peers[e->first].addr;
	}
	v = r->strict ? check_strict(r, a, &peer, shared, e, now, unix_ns)
		      : check_default(r, a, &peer, shared, e, now);
	if (r->strict)
		report.clock_diff_ms = behind_ns(a->counter, unix_ns) / (int64_t)BASE_NS_PER_MS;
	if (peer != NOBODY)
		report.cls = (enum auth_replay_class)r->peers[peer].cls;
	if (why != NULL)
		*why = report;
	return v;
}

void
auth_replay_sent(struct auth_replay *r, uint64_t counter, base_ns_t now)
{
	struct auth_replay_seen *e = find(r, counter);

	if (e == NULL)
		e = insert(r, counter);
	e->first = OURS;
	e->last = OURS;
	e->order = ++r->order;
	e->at = now;
}

enum auth_replay_class
auth_replay_class_of(const struct auth_replay *r, const struct base_addr *src)
{
	uint8_t peer = find_peer(r, src);

	return peer == NOBODY ? AUTH_REPLAY_CLASS_UNKNOWN
			      : (enum auth_replay_class)r->peers[peer].cls;
}

unsigned int
auth_replay_forget(struct auth_replay *r)
{
	unsigned int n = 0;

	for (uint8_t i = 0; i < AUTH_REPLAY_SOURCES; i++) {
		uint64_t last = r->peers[i].counter;

		if (r->peers[i].addr.family == BASE_FAMILY_NONE)
			continue;
		drop_peer(r, i);
		n++;

		struct auth_replay_seen *e = find(r, last);

		/* one of ours stays guarded by who sent it */
		if (e != NULL)
			e->guarded = false;
	}
	return n;
}
