/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_PRIV_H
#define CTL_PRIV_H

#include <stdio.h>

#include "auth_balance.h"
#include "auth_replay.h"
#include "auth_stage.h"
#include "conf.h"
#include "ctl.h"
#include "ctl_advert.h"
#include "ctl_frame.h"
#include "ctl_pair.h"
#include "ctl_seq.h"
#include "dp.h"
#include "election.h"
#include "fib.h"
#include "fib_nbr.h"
#include "port.h"
#include "wire6.h"
#include "wire_group.h"
#include "wire_ra.h"

/* Bounds of one turn: enough for every ring that can be full, small enough to stay prompt. */
#define CTL_ADVERTS_PER_RING 64
#define CTL_ADVERTS_PER_TURN 4096
#define CTL_PUNTS_PER_RING   16
#define CTL_PUNTS_PER_TURN   256
#define CTL_POLL_BATCH	     128
/* Announcements of one turn: adverts of other groups must not wait behind a thousand VIPs. */
#define CTL_ANNOUNCE_PER_TURN 16
#define CTL_REQUEST_SLOTS     32
/*
 * Adverts of unknown sources: so many at once, and one more in so many ns. Of a group 20,000 a
 * second, of one source 1,000: the fastest sends 256.
 */
#define CTL_UNKNOWN_BURST   1000
#define CTL_UNKNOWN_COST_NS (50 * BASE_NS_PER_US)
#define CTL_SOURCE_BURST    100
#define CTL_SOURCE_COST_NS  BASE_NS_PER_MS
#define CTL_SOURCE_BUCKETS  64
#define CTL_FRAME_TELL_NS   (100 * BASE_NS_PER_MS)
/* Of adverts over the rate, one in so many ns is in the ring of the last frames. */
#define CTL_POLICED_NS	 (10 * BASE_NS_PER_MS)
#define CTL_BAD_SLOTS	 256
#define CTL_BAD_QUIET_NS (10 * BASE_NS_PER_S)
/* Counters of the box may be this old in its view. */
#define CTL_PUBLISH_NS (20 * BASE_NS_PER_MS)

/* What may still be spent, and when that was counted. */
struct ctl_bucket {
	uint32_t tokens;
	base_ns_t at;
};

/* What adverts are signed and checked with. Made and freed off the control lcore. */
struct ctl_identity {
	struct auth_group *auth;
	struct auth_counters counters;
	struct auth_replay replay;
	struct auth_balance balance;
	uint64_t fingerprint;	   /* of the VIPs */
	bool orig, strict;	   /* as configured */
	bool key_set;		   /* the key is not the configuration's */
	struct ctl_identity *next; /* of those that wait to be freed */
};

struct ctl_group {
	const struct conf_group *conf;
	struct ctl_identity *id;    /* what runs */
	struct ctl_identity *other; /* the second one while a change is staged; else NULL */
	struct auth_stage stage;
	bool by_reload;	 /* what is staged: the configuration has both */
	uint8_t reloads; /* which of the configuration's two is id; by_reload or not */
	struct ctl_told told[CTL_TOLD_MAX]; /* while a change is staged */
	uint8_t vmac[BASE_MAC_LEN];
	uint8_t families; /* ELECTION_IP4 and ELECTION_IP6, where there are VIPs */
	uint32_t *vips;	  /* IPv4, in the order given */
	uint8_t (*vips6)[16];
	uint16_t n_vips, n_vips6;
	uint16_t announce_next; /* announcement under way: next VIP, IPv4 first */
	uint16_t announce_end;	/* announce_next stands here when there is none */
	/* Adverts of unknown sources that may be looked at: of all, and of those of a hash. */
	struct ctl_bucket unknown;
	struct ctl_bucket source[CTL_SOURCE_BUCKETS];
	uint32_t send_failures; /* dp's counter as seen last */
	bool outcome_open;	/* an advert was handed over, its outcome not yet fed */
	uint8_t advbase, advskew;
	enum election_state state; /* as the last STATE action said */
	bool owned;		   /* MASTER or handing over */
	base_ns_t takeover_ns;
	uint64_t stats[CTL_STAT_COUNT];
	struct ctl_refusal refused[CTL_REFUSALS];
	struct ctl_peer peers[CTL_PEERS_MAX]; /* newest first */

	/* Router advertisements (ctl_ra.c). */
	bool routes;	    /* this group sends them while MASTER */
	uint8_t router[16]; /* link-local address of the vMAC: where they come from */
	base_ns_t ra_at;    /* the next one; BASE_NS_NEVER */
	base_ns_t ra_last;  /* the last one; 0: none yet */
	uint8_t ra_initial; /* of those that come early, to be sent still */

	/* Peers of other interfaces (ctl_hear.c). */
	bool heard;	       /* an advert, ever */
	base_ns_t alone_since; /* took over by silence, nobody ever heard; BASE_NS_NEVER: not so */
	uint16_t unheard_if;   /* as told; ELECTION_NONE */
	base_ns_t able_since;  /* since when a master without demotion must live; BASE_NS_NEVER */
	base_ns_t able_heard;  /* its last advert */
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

/* One more than are kept: the slot that is written next may change under a reader. */
#define CTL_EVENT_SLOTS	   (CTL_EVENTS_KEPT + 1)
#define CTL_DECISION_SLOTS (CTL_DECISIONS_KEPT + 1)
/* The same, with those that a frame causes to be sent before it is seen itself. */
#define CTL_FRAME_SLOTS (CTL_FRAMES_KEPT + 64)

struct ctl_frame_slot {
	uint32_t seq; /* sequence lock */
	struct ctl_frame frame;
};

/* The newest events of a group. */
struct ctl_decisions {
	uint64_t written; /* atomic */
	struct ctl_event_slot slot[CTL_DECISION_SLOTS];
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
	struct ctl_identity *id; /* KEY, STAGE: the new one, until it is taken */
	char asked[sizeof(((struct ctl_event *)NULL)->text)]; /* in words, once it is taken */
	int result;
	char note[160];
};
/* From one state to the next, of a slot that two threads share. @return false: it is in another */
static inline bool
ctl_slot_move(uint32_t *state, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(
		state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* A word for who asks. */
#define CTL_SAY(slot, ...) snprintf((slot)->note, sizeof((slot)->note), __VA_ARGS__)

/* Membership in a multicast group, told to snooping switches. */
struct ctl_member {
	struct base_addr group;
	base_ns_t report_at; /* next report that is due; BASE_NS_NEVER when none */
	uint8_t unasked;     /* reports still to send after the link came up */
	uint8_t version;     /* of the report that is due */
};

/* What an interface is of a configuration. */
struct ctl_if_lists {
	uint32_t ip4; /* first own address; 0 = none */
	uint16_t n_own, n_own6;
	uint32_t *own; /* own IPv4 addresses */
	uint32_t *own_mask;
	uint8_t (*own6)[16]; /* the link-local one of the MAC first */
	bool has_groups;
	uint16_t group_of_vhid[256];
	struct base_prefix *on_link; /* subnets of own addresses and VIPs */
	uint16_t n_on_link;
	struct ctl_member *members; /* by group, each once */
	uint16_t n_members;
};

struct ctl_if {
	uint16_t port_id;
	uint8_t mac[BASE_MAC_LEN];
	struct ctl_if_lists lists;
	uint8_t link_local[16]; /* from the MAC; source of adverts, NS, NA and MLD */
	base_ns_t frame_told;	/* when FRAME_SEEN was fed last */
	bool link_up;
	bool admin_down; /* by the operator */
	bool filter_failed;
	bool leaving; /* first of its device, which is to be left alone: not confirmed yet */
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
	uint16_t n_ifs;
	uint16_t n_groups;   /* slots that are, or were, of a group */
	uint16_t group_room; /* slots that arrays have */
	struct ctl_if *ifs;
	struct ctl_group *groups;
	/* By group, in the shape that the advert check wants. */
	struct auth_group **auth;
	const struct auth_counters **counters;
	struct auth_group **other_auth;
	const struct auth_counters **other_counters;
	struct ctl_identity *spent; /* atomic: to be freed by whoever may */
	uint16_t n_staged;	    /* groups */
	bool *listening;
	uint8_t *unicast;		    /* mask of families with a unicast peer */
	uint64_t box_stats[CTL_STAT_COUNT]; /* what belongs to no group */
	uint8_t log;
	bool arpbalance;
	uint16_t announcing; /* groups with an announcement under way */
	uint16_t leaving;    /* devices that are to be left alone */
	base_ns_t hear_at;   /* ctl_hear_tick() looks again */
	bool clearing;	     /* neighbours, of this interface or all, from the cursor on: */
	uint16_t clear_if;
	uint32_t clear_cursor;
	base_ns_t ra_at;       /* the next router advertisement of any group */
	uint32_t gateway_next; /* the round over the routers of routes, 0: none (ctl_warm.c) */
	base_ns_t gateways_at; /* the next round */
	bool fast;	       /* some group is fast: idle sleeps stay short */

	base_ns_t now; /* of this turn */
	base_ns_t started_at;
	bool marked; /**< rings not emptied: marked_horizon waits for dp_adverts_passed() */
	base_ns_t marked_horizon[DP_IF_MAX];
	uint64_t turns, sleeps, stalls;
	base_ns_t longest_turn_ns; /* since this many times of dp_longest_turn_forget() */
	uint32_t forgot;
	base_ns_t stall_told; /* time of the last STALL event */
	uint32_t stalls_untold;
	uint64_t late[CTL_LATE_BUCKETS];
	base_ns_t late_max, late_sum;
	base_ns_t published_at;
	uint16_t publish_next;
	/* Groups whose view must be published, a bit each. */
	uint64_t dirty[DP_GROUP_MAX / 64];
	bool box_dirty;
	uint32_t idle_turns;
	uint64_t source_key; /* so that nobody can choose an address for its bucket */

	struct ctl_bad bad[CTL_BAD_SLOTS];
	uint64_t event_seq; /* atomic: newest written */

	uint64_t frame_seq;    /* newest that has a place */
	uint64_t frame_newest; /* atomic: newest that is to be seen */
	base_ns_t policed_shown;
	bool frame_open;	/* a received frame is being handled: */
	struct ctl_frame frame; /* this one */

	struct ctl_request_slot *reloading; /* waits for groups that hand over; else NULL */
	const char *asked; /* what an operator asked, while that is carried out; else NULL */
	uint32_t shutdown; /* atomic */
	uint32_t posted;   /* atomic: requests posted and not taken */
	uint32_t n_pings;  /* atomic: runs that are not free */
	base_ns_t ping_at; /* the next thing that one of them has to do */

	struct ctl_group_pub *group_pub;
	struct ctl_box_pub *box_pub;
	struct ctl_event_slot *events;
	struct ctl_frame_slot *frames;
	struct ctl_decisions *decisions; /* by group */
	struct ctl_request_slot *requests;
	struct ctl_ping_run *pings;
};

/** The view of a group is published at the end of the turn. */
static inline void
ctl_dirty(struct ctl *c, uint16_t group)
{
	c->dirty[group / 64] |= UINT64_C(1) << (group % 64);
}

/** Feed the election and carry out what it asks, at c->now. */
int ctl_feed(struct ctl *c, const struct election_event *ev);
/** Carry out what the election asked for otherwise. */
void ctl_carry_out(struct ctl *c);
/** Serve the election's deadlines. */
void ctl_tick(struct ctl *c);
/** Some gratuitous ARPs and unsolicited NAs that are still owed. */
void ctl_announce(struct ctl *c);
/** A frame of so many bytes, to be filled in and sent by dp_ctl_send(). @return NULL: none left */
struct rte_mbuf *ctl_packet(struct ctl *c, size_t len);
/** Send a whole frame. @return as dp_ctl_send(), or -ENOMEM */
int ctl_send(struct ctl *c, uint16_t if_id, const void *frame, size_t len, uint16_t group);
/** Count to a group, or with ELECTION_NONE to the box. */
void ctl_count(struct ctl *c, uint16_t group, enum ctl_stat s);

/** @name The ring of the last frames (ctl_frame.c). @{ */
/** A received frame is handled from now on, until ctl_frame_end(). */
void ctl_frame_begin(struct ctl *c, const struct dp_punt *p);
/** What becomes of it; what was said first holds. @param stat  or CTL_STAT_COUNT */
void ctl_frame_say(struct ctl *c, enum ctl_verdict v, enum ctl_stat stat);
/** It is about this group, if any. */
void ctl_frame_group(struct ctl *c, uint16_t group);
/** It made a group change its state. */
void ctl_frame_state(
	struct ctl *c, uint16_t group, enum election_state to, enum election_cause cause);
void ctl_frame_end(struct ctl *c);
/** A frame was sent, or not: result is ctl_send()'s. @param group  of an advert, or DP_NONE */
void ctl_frame_sent(struct ctl *c, uint16_t if_id, const uint8_t *frame, size_t len, uint16_t group,
	int result);
/** @} */

/** @name Neighbour discovery and multicast membership (ctl_nd.c, ctl_member.c). @{ */
/** An IPv6 frame about a VIP of a group or about an interface. */
void ctl_nd_input(struct ctl *c, const struct dp_punt *p, const uint8_t *frame, size_t len);
/** Send a solicitation that the resolver wants. */
void ctl_nd_request(struct ctl *c, const struct fib_nbr_action *a);
/** Those of a configuration, to l. @return 0 or -ENOMEM @thread any */
int ctl_member_make(const struct conf *conf, uint16_t if_id, const uint8_t link_local[16],
	struct ctl_if_lists *l);
/** In the place of other ones: those that were there go on, others are told as new. */
void ctl_member_take_over(struct ctl *c, struct ctl_if_lists *l, const struct ctl_if_lists *was);
/** Tell the switch anew: the link came up. */
void ctl_member_join(struct ctl *c, uint16_t if_id);
/** A query; ip is the first byte of its IP header. */
void ctl_member_query(struct ctl *c, uint16_t if_id, const uint8_t *ip, size_t len);
void ctl_member_tick(struct ctl *c);
/** @} */

/** @name Peers that should be heard and are not (ctl_hear.c). @{ */
void ctl_hear_init(struct ctl_group *g);
/** A good advert of a group. */
void ctl_hear_advert(struct ctl *c, uint16_t group, const struct election_priority *prio);
/** A group changed its state. */
void ctl_hear_state(struct ctl *c, uint16_t group, enum election_cause cause);
void ctl_hear_tick(struct ctl *c);
/** @} */

/** @name Neighbours as operators want them (ctl_nbr.c). @{ */
/** The configuration's. @return 0 or -ENOSPC */
int ctl_nbr_create(struct ctl *c);
/** What differs between two configurations that are numbered alike. @thread any */
struct ctl_nbr_changes {
	uint32_t n;
	struct ctl_nbr_change {
		uint16_t if_index;
		bool gone;		       /* else it is new, or has another MAC */
		bool made;		       /* by ctl_nbr_changes_begin() */
		const struct conf_neighbor *n; /* of the configuration that has it */
	} * change;
};
/** @return 0 or -ENOMEM; to be freed with ctl_nbr_changes_free() @thread any */
int ctl_nbr_changes_make(
	const struct conf *now, const struct conf *next, struct ctl_nbr_changes *out);
void ctl_nbr_changes_free(struct ctl_nbr_changes *l);
/** All that may fail: those that are new are there. @return 0, or -ENOSPC and none of them is */
int ctl_nbr_changes_begin(struct ctl *c, struct ctl_nbr_changes *l);
/** The rest. */
void ctl_nbr_changes_apply(struct ctl *c, const struct ctl_nbr_changes *l);
/** Carry out one of the requests about neighbours. @return as ctl_request() */
int ctl_nbr_request(struct ctl *c, struct ctl_request_slot *s);
/** Clear some more, while that is asked for. */
void ctl_nbr_clear_tick(struct ctl *c);
/** @} */

/** @name Ping and traceroute (ctl_ping.c). @{ */
/** @return 0 or -ENOMEM */
int ctl_ping_create(struct ctl *c);
/** What answers a probe. */
void ctl_ping_input(struct ctl *c, const struct rte_mbuf *m);
void ctl_ping_tick(struct ctl *c);
/** @} */

/** @name Router advertisements (ctl_ra.c). @{ */
/** Of a group of a configuration. @thread any */
void ctl_ra_make(const struct conf *conf, struct ctl_group *g);
/** Whether a group sends them: it has IPv6 addresses on an interface with "ra". @thread any */
bool ctl_ra_wanted(const struct conf *conf, const struct conf_group *g);
/** A group has a new state. */
void ctl_ra_state(struct ctl *c, uint16_t group, enum election_state from);
/** A host asks for routers. */
void ctl_ra_solicited(struct ctl *c, uint16_t if_id);
/** A router speaks, maybe in the name of a group of ours. */
void ctl_ra_heard(
	struct ctl *c, uint16_t if_id, const struct wire_ip6 *ip, const struct wire_ra *ra);
void ctl_ra_tick(struct ctl *c);
/** Its IPv6 addresses come or go, or "ra" of its interface: wanted or not from now on. */
void ctl_ra_set(struct ctl *c, uint16_t group, bool wanted);
/** Before another configuration is used: who is no router in it says so. */
void ctl_ra_leave(struct ctl *c, const struct conf *next);
/** Another one is used: who is a router speaks where what there is to say is not what it was. */
void ctl_ra_take(struct ctl *c, const struct conf *was);
/** @} */

/** @name Neighbours that a take-over would need (ctl_warm.c). @{ */
/** A group changed its state: the neighbours of a BACKUP are kept fresh. */
void ctl_warm_state(struct ctl *c, uint16_t if_id);
/** Who speaks asked for an address: if that is the master, we may soon have to send there. */
void ctl_warm_asked(struct ctl *c, uint16_t if_id, const struct base_addr *asker,
	const uint8_t mac[BASE_MAC_LEN], const struct base_addr *target);
void ctl_warm_tick(struct ctl *c);
/** Whether an address belongs to a host on a subnet of the interface. */
bool ctl_is_on_link(const struct ctl_if *f, const struct base_addr *addr);
/** @} */

/** @name Configuration (ctl_group.c, ctl_lists.c, ctl_reload.c). @{ */
/** A group as the election wants it, with the timing that the group has now. */
struct election_group_config ctl_group_config(const struct ctl *c, uint16_t group);
/** Whether sleeps must stay short. */
void ctl_find_fast(struct ctl *c);
/** Timing of a group, which may be another one than that of the file. */
void ctl_set_timing(struct ctl_group *g, uint8_t advbase, uint8_t advskew);
/**
 * Of a configuration.
 * @param keys  with them; else addresses only
 * @return 0, -ENOMEM or -EIO; free with ctl_group_free()
 * @thread any
 */
int ctl_group_make(const struct conf *conf, uint16_t group, bool keys, struct ctl_group *g);
/** What is in it, but not itself. */
void ctl_group_free(struct ctl_group *g);
/** In its slot, which has it now: what others look at by number. */
void ctl_group_begin(struct ctl *c, uint16_t group);
/** Peers by unicast, as configured. */
void ctl_group_peers(struct ctl *c, uint16_t group);
/** Use addresses and keys, if any, of another one, and leave it those that were used. */
void ctl_group_take(struct ctl *c, uint16_t group, struct ctl_group *made);
/** The slot has no group any more; what it had is left. */
void ctl_group_end(struct ctl *c, uint16_t group, struct ctl_group *left);
/** Groups that are to go bow out; the rest is ctl_reload_tick()'s. @return as ctl_request() */
int ctl_reload_request(struct ctl *c, struct ctl_request_slot *s);
/** Apply, once those that are to go have handed over. */
void ctl_reload_tick(struct ctl *c);
/** A request that took some turns is done. */
void ctl_request_done(struct ctl *c, struct ctl_request_slot *s, int result);
/** All addresses of a group that is MASTER are to be announced, from the first one on. */
void ctl_announce_begin(struct ctl *c, uint16_t group);
/** What is still owed of an announcement is not sent any more. */
void ctl_announce_stop(struct ctl *c, struct ctl_group *g);
/** The lists of an interface; free with ctl_lists_free(). @return 0 or -ENOMEM @thread any */
int ctl_lists_make(const struct conf *conf, uint16_t if_id, const uint8_t link_local[16],
	struct ctl_if_lists *l);
void ctl_lists_free(struct ctl_if_lists *l);
/** @} */

/** @return true when the rings were emptied: what was received up to now has been heard */
bool ctl_adverts(struct ctl *c);
void ctl_punts(struct ctl *c);
/** The interface's MAC, or the vMAC of a group of it. */
bool ctl_is_our_mac(const struct ctl_if *f, const uint8_t mac[BASE_MAC_LEN]);
/** An address of the group. The one that router advertisements come from is one of IPv6, too. */
bool ctl_is_vip4(const struct ctl_group *g, uint32_t ip);
bool ctl_is_vip6(const struct ctl_group *g, const uint8_t ip[16]);
/** An own address of the interface. */
bool ctl_is_own4(const struct ctl_if *f, uint32_t ip);
bool ctl_is_own6(const struct ctl_if *f, const uint8_t ip[16]);
/** Own address for what goes to a target: in its subnet, else the first one; 0: there is none. */
uint32_t ctl_own_ip4(const struct ctl_if *f, uint32_t target);
/** The resolver's actions; arg is the ctl. */
void ctl_nbr_act(void *arg, const struct fib_nbr_action *a);
/** The MAC of a neighbour; when there is none, it is asked for. @return false: none yet */
bool ctl_nbr_mac(
	struct ctl *c, uint16_t if_index, const struct base_addr *addr, uint8_t mac[BASE_MAC_LEN]);
void ctl_requests(struct ctl *c);
void ctl_ports(struct ctl *c);
/** The operator takes an interface down, or up again. */
void ctl_if_set(struct ctl *c, uint16_t if_id, bool up);
/** Tell the election which interfaces hear anything at all. */
void ctl_frames_seen(struct ctl *c);
/** The guard against replays (ctl_guard.c): IPACKETS when the advert may be believed. */
enum ctl_stat ctl_guard_check(struct ctl *c, const struct ctl_advert *a);
/** The counter of the next advert with an identity of a group. */
uint64_t ctl_next_counter(struct ctl *c, const struct ctl_group *g, struct ctl_identity *id);

/** @name Identities, and changes of them that are staged (ctl_stage.c). @{ */
/** Of a group with a key. Allocates, so not on the control lcore. @return NULL with errno */
struct ctl_identity *ctl_identity_new(const struct conf_group *g, const uint8_t key[AUTH_KEY_LEN]);
/** @thread as ctl_identity_new() */
void ctl_identity_free(struct ctl_identity *id);
/**
 * The group has it from now on; the one before waits to be freed. Where both make the same
 * adverts the one before stays, with what it knows of others' counters.
 */
void ctl_identity_replace(struct ctl *c, uint16_t group, struct ctl_identity *id);
/** Its guard goes by the timing that the group has now. */
void ctl_identity_time(const struct ctl_group *g, struct ctl_identity *id);
/** Adverts of a group are checked with what it has now, maybe nothing; its view is published. */
void ctl_identity_use(struct ctl *c, uint16_t group);
/** It is not needed any more, and this thread may not free it. */
void ctl_identity_spend(struct ctl *c, struct ctl_identity *id);
/** Its n-th advert of each family is to be signed with this; NULL: there are no more. */
struct ctl_identity *ctl_stage_send(const struct ctl_group *g, unsigned int n);
/** Which one g->id is, or g->other, of the change that is staged. */
enum auth_identity ctl_stage_identity(const struct ctl_group *g, bool other);
/** Carry out STAGE, COMMIT or ABORT. @return as ctl_request() */
int ctl_stage_request(struct ctl *c, struct ctl_request_slot *s);
/**
 * A good advert was heard.
 * @return false: it is the second of two that were sent as one, which the election knows already
 */
bool ctl_stage_heard(struct ctl *c, const struct ctl_advert *a);
void ctl_stage_tick(struct ctl *c);
/** Whether what a reload would stage can be, or is what is staged already. */
bool ctl_stage_fits(const struct ctl *c, uint16_t group, const struct ctl_identity *id);
/**
 * A reload stages this; where it runs already, or is staged already, nothing changes.
 * @param id  taken, or left where it is not needed
 */
void ctl_stage_load(struct ctl *c, uint16_t group, struct ctl_identity **id, base_ns_t window_ns);
/** Whatever is staged is forgotten, not used. */
void ctl_stage_drop(struct ctl *c, uint16_t group);
/** @} */

void ctl_publish(struct ctl *c);
/** Write an event; seq, wall_ns and at are filled in. */
void ctl_event_write(struct ctl *c, struct ctl_event *ev);
struct ctl_event ctl_event_new(enum ctl_event_kind kind);
void ctl_event_bad(struct ctl *c, uint16_t if_id, uint16_t group, enum ctl_stat stat,
	const struct base_addr *src);

#endif
