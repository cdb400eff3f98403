/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_PRIV_H
#define CTL_PRIV_H

#include "conf.h"
#include "ctl.h"
#include "ctl_advert.h"
#include "ctl_seq.h"
#include "dp.h"
#include "election.h"
#include "fib_nbr.h"
#include "port.h"

/* Bounds of one turn: enough for every ring that can be full, small enough to stay prompt. */
#define CTL_ADVERTS_PER_RING 64
#define CTL_ADVERTS_PER_TURN 4096
#define CTL_PUNTS_PER_RING   16
#define CTL_PUNTS_PER_TURN   256
#define CTL_POLL_BATCH	     128
/* Gratuitous ARPs of one turn: adverts of other groups must not wait behind a thousand VIPs. */
#define CTL_GARPS_PER_TURN 16
#define CTL_REQUEST_SLOTS  32
#define CTL_BAD_SLOTS	   256
#define CTL_BAD_QUIET_NS   (10 * BASE_NS_PER_S)
/* Counters of the box may be this old in its view. */
#define CTL_PUBLISH_NS (20 * BASE_NS_PER_MS)

struct ctl_group {
	const struct conf_group *conf;
	struct auth_counters counters;
	uint8_t vmac[BASE_MAC_LEN];
	uint32_t *vips; /* IPv4, in the order given */
	uint16_t n_vips;
	uint16_t garp_next;	/* announcement under way: next VIP; n_vips when idle */
	uint32_t send_failures; /* dp's counter as seen last */
	bool outcome_open;	/* an advert was handed over, its outcome not yet fed */
	uint8_t advbase, advskew;
	enum election_state state; /* as the last STATE action said */
	bool owned;		   /* MASTER or handing over */
	base_ns_t takeover_ns;
	bool dirty; /* view must be published */
	uint64_t stats[CTL_STAT_COUNT];
	uint64_t fingerprint;
	struct ctl_peer peers[CTL_PEERS_MAX]; /* newest first */
};

/* Read by everybody, written by the control lcore under the sequence lock. */
struct ctl_group_body {
	struct ctl_group_view view;
	struct ctl_peer peers[CTL_PEERS_MAX]; /* unused ones have no family */
};
struct ctl_group_pub {
	uint32_t seq;
	struct ctl_group_body body;
};

#define CTL_DEMOTIONS_SHOWN 64
struct ctl_box_body {
	struct ctl_box_view view;
	struct election_demotion_entry demotion[CTL_DEMOTIONS_SHOWN]; /* unused ones: amount 0 */
};
struct ctl_box_pub {
	uint32_t seq;
	struct ctl_box_body body;
};

struct ctl_event_slot {
	uint32_t seq; /* sequence lock */
	struct ctl_event event;
};

enum ctl_slot_state {
	CTL_SLOT_FREE = 0,
	CTL_SLOT_FILLING,
	CTL_SLOT_POSTED,
	CTL_SLOT_TAKEN,
	CTL_SLOT_DONE,
	CTL_SLOT_ABANDONED, /* the asker gave up waiting */
};

struct ctl_request_slot {
	uint32_t state; /* enum ctl_slot_state, atomic */
	struct ctl_request req;
	struct auth_group *auth; /* KEY: the new one on the way in, the old one on the way out */
	int result;
	char note[160];
};

struct ctl_if {
	uint16_t port_id;
	uint8_t mac[BASE_MAC_LEN];
	uint32_t ip4; /* first own address; 0 = none */
	uint16_t n_own;
	uint32_t *own; /* own IPv4 addresses */
	uint32_t *own_mask;
	bool has_groups;
	uint16_t group_of_vhid[256];
};

struct ctl_bad {
	uint64_t key;
	base_ns_t at;
	uint32_t suppressed;
};

struct ctl {
	const struct conf *conf;
	struct dp *dp;
	struct fib_nbr_table *nbr;
	struct port_set *ports;
	bool poll;
	struct base_rand rand;
	struct election *election;
	void *election_mem;
	struct election_action *actions;
	struct election_actions out;
	uint16_t n_ifs, n_groups;
	struct ctl_if *ifs;
	struct ctl_group *groups;
	/* By group, in the shape that the advert check wants. */
	struct auth_group **auth;
	const struct auth_counters **counters;
	bool *listening;
	uint64_t box_stats[CTL_STAT_COUNT]; /* what belongs to no group */
	uint8_t log;
	uint16_t garps_pending; /* groups with an announcement under way */
	bool fast;		/* some group is fast: idle sleeps stay short */

	base_ns_t now; /* of this turn */
	base_ns_t started_at;
	uint64_t turns, sleeps, stalls;
	base_ns_t longest_turn_ns;
	base_ns_t stall_told; /* time of the last STALL event */
	uint32_t stalls_untold;
	uint64_t late[CTL_LATE_BUCKETS];
	base_ns_t late_max;
	base_ns_t published_at;
	uint16_t publish_next;
	bool box_dirty;
	uint32_t idle_turns;

	struct ctl_bad bad[CTL_BAD_SLOTS];
	uint64_t event_seq; /* atomic: newest written */

	uint32_t shutdown; /* atomic */
	uint32_t posted;   /* atomic: requests posted and not taken */

	struct ctl_group_pub *group_pub;
	struct ctl_box_pub *box_pub;
	struct ctl_event_slot *events;
	struct ctl_request_slot *requests;
};

/** Feed the election and carry out what it asks, at c->now. */
int ctl_feed(struct ctl *c, const struct election_event *ev);
/** Serve the election's deadlines. */
void ctl_tick(struct ctl *c);
/** Some gratuitous ARPs that are still owed. */
void ctl_announce(struct ctl *c);

/** @return true when the rings were emptied: what was received up to now has been heard */
bool ctl_adverts(struct ctl *c);
void ctl_punts(struct ctl *c);
/** The resolver's actions; arg is the ctl. */
void ctl_nbr_act(void *arg, const struct fib_nbr_action *a);
void ctl_requests(struct ctl *c);
void ctl_ports(struct ctl *c);

void ctl_publish(struct ctl *c);
/** Write an event; seq, wall_ns and at are filled in. */
void ctl_event_write(struct ctl *c, struct ctl_event *ev);
struct ctl_event ctl_event_new(enum ctl_event_kind kind);
void ctl_event_bad(struct ctl *c, uint16_t if_id, uint16_t group, enum ctl_stat stat, uint32_t src);

#endif
