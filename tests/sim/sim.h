/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth_replay.h"
#include "auth_stage.h"
#include "base_heap.h"
#include "base_rand.h"
#include "ctl_pair.h"
#include "election.h"
#include "wire6.h"

/**
 * @file
 * Boxes on segments, in simulated time. A box is the election with what lib/ctl puts around it:
 * adverts are built, signed, checked and ordered by the objects that the appliance runs. Everything
 * comes from one seed; nothing reads a clock.
 *
 * Global time is what events are ordered by. Each node has a clock of its own with another zero and
 * another rate, and whatever is called local is in that.
 */

#define SIM_NODES  4
#define SIM_SEGS   3
#define SIM_VHIDS  3 /* per segment */
#define SIM_GROUPS (SIM_SEGS * SIM_VHIDS)

#define SIM_VIPS     2 /* of every group and family */
#define SIM_FAMILIES ELECTION_FAMILIES

/**
 * What digests of a group are made of: as it was at first, with another password, with the last
 * VIP of each family gone, with the attacker's password.
 */
enum sim_key { KEY_RIGHT = 0, KEY_OTHER, KEY_VIPS, KEY_FORGED, KEY_COUNT, KEY_NONE = KEY_COUNT };

#define FRAME_MAX_BYTES 96
#define FRAMES		1024
#define DELIVERIES	4096
#define NIC_SLOTS	64 /* receive descriptors of a stalled worker */
#define RING_SLOTS	64 /* as DP_ADVERT_RING_SLOTS */
#define KNOWN_MAX	8  /* as CTL_PEERS_MAX */
#define ADVERT_IDS	65536
#define CAPTURES	12
#define SHADOW_TOLD	8
#define NONE		UINT16_MAX

enum node_kind { NODE_KOI = 0, NODE_NETBSD, NODE_OPENBSD, NODE_FREEBSD, NODE_UCARP, NODE_KINDS };

/** What the network knows of a frame, and no receiver does. */
enum frame_kind {
	FRAME_GENUINE = 0, /* of a node, as it sent it */
	FRAME_REPLAY,	   /* captured before, perhaps with other unauthenticated fields */
	FRAME_FORGED,	   /* wrong digest */
	FRAME_TRUNCATED,
	FRAME_FOREIGN, /* not for us: other vhid, version, TTL, protocol */
};

struct frame {
	uint8_t bytes[FRAME_MAX_BYTES];
	uint16_t len;
	uint16_t group;
	uint16_t refs;
	uint8_t kind;	/* enum frame_kind */
	uint8_t family; /* 0: IPv4, 1: IPv6 */
	uint8_t from;	/* node, also of the frame that a replay is of; SIM_NODES: the attacker */
	uint8_t life;	/* of the sender: a box that restarted does not know what it sent before */
	uint8_t key;
	uint8_t keys;  /* mask: of all that were sent as one advert */
	uint32_t id;   /* of the advert; a replay has that of what it repeats */
	uint32_t pair; /* id of the first that was sent as one advert */
	uint32_t seq;  /* of the sender's group in this life */
	base_ns_t sent;
	struct election_priority prio;
	uint64_t counter;
};

/** One copy of a frame on its way to one node. */
struct delivery {
	uint16_t frame;
	uint16_t next; /* in a queue, or of the free ones */
	uint8_t to;
	bool late; /* held up for longer than the segment's longest delay */
	base_ns_t sent;
};

struct queue {
	uint16_t head, tail, n;
};

/** The checker's account of a koi box's group, from what went in and came out. Local times. */
struct shadow {
	enum election_state state;
	bool owned, handing;
	base_ns_t handing_since;
	base_ns_t since;
	base_ns_t armed[SIM_FAMILIES];		  /* silence counts from here */
	base_ns_t listen_until;			  /* after a stall */
	base_ns_t listens;			  /* the same, whatever was heard since */
	base_ns_t heard;			  /* last accepted advert */
	base_ns_t evidence[ELECTION_CAUSE_COUNT]; /* when an advert last gave this cause */
	base_ns_t claim_due;			  /* a claim that a tie put off; or NEVER */
	bool from_tie;				  /* last left MASTER on a tie */
	base_ns_t advert_at;			  /* last one as MASTER */
	base_ns_t promise;			  /* interval that it promised */
	base_ns_t advert_late;			  /* how late that was served */
	bool may_early;				  /* demotion or timing changed since */
	bool may_late;				  /* stalled since */
	bool extra_due;				  /* a worse master was heard: answer */
	base_ns_t extra_at, duel_first, duel_at, duel_theirs;
	base_ns_t announced_at;
	base_ns_t words_due; /* a bow-out was heard as MASTER: to announce until then; 0: nothing */
	base_ns_t words_free; /* none has to follow before */
	bool start_claim;     /* "state master" of the configuration, not yet carried out */
	uint8_t adverts;      /* since MASTER */
	uint8_t fails, oks;
	bool send_error;
	base_ns_t send_error_expires;
	bool need_master, need_leave, announced, owes_announce, bowed; /* within one call */
	uint32_t own_seq; /* adverts sent in this life */
	struct shadow_key {
		base_ns_t begun; /* what the guard knew of before is forgotten */
		/* of each sender: when its counters were new, and what that said of it */
		base_ns_t fresh_at[SIM_NODES][SIM_FAMILIES][3];
		bool changing[SIM_NODES][SIM_FAMILIES], repeats[SIM_NODES][SIM_FAMILIES];
	} key[KEY_COUNT];
	/* while a change is staged */
	base_ns_t staged, window;
	bool decided;	     /* by an operator, or by time */
	uint8_t last, row;   /* key of the advert heard last, how many in a row with it alone */
	struct shadow_told { /* what the election was told last */
		uint32_t id, pair;
		base_ns_t at;
		struct election_priority prio;
	} told[SIM_NODES][SIM_FAMILIES][SHADOW_TOLD];
	uint32_t owed[SIM_NODES][SIM_FAMILIES]; /* adverts of which it was told nothing */
};

/** What adverts are signed with and checked by. */
struct identity {
	struct auth_counters counters;
	struct auth_replay replay;
};

/** A koi box's group, as lib/ctl keeps it. */
struct koi_group {
	uint8_t runs; /* which of its identities */
	struct auth_stage stage;
	struct ctl_told told[CTL_TOLD_MAX];
	base_ns_t heard_at;		   /* local; 0: nobody, or a bow-out */
	base_ns_t readdress_at;		   /* local: its addresses follow what runs; or NEVER */
	struct base_addr known[KNOWN_MAX]; /* heard with good adverts */
	uint8_t n_known;
	struct queue ring[2]; /* of unknown and of known sources */
	bool outcome_open;    /* an advert was handed over, its outcome not yet fed */
	bool outcome_bad;
	bool owned;
	base_ns_t owned_from, disowned_from; /* global: when the NIC does what was asked */
	struct shadow sh;
};

/** A group of a BSD or of ucarp. */
struct peer_group {
	bool counter_known;
	uint64_t counter;
	bool first_interval; /* the run function armed the timer with the configured skew */
};

/** A node's place on a segment. Times are global. */
struct port {
	bool link;	/* physically */
	bool link_told; /* as the box knows it */
	base_ns_t link_tell_at;
	base_ns_t blocked_until;	     /* by the switch: the box sees nothing of it */
	base_ns_t full_until;		     /* sending refused at once */
	base_ns_t txfail_until;		     /* sending fails later, at the worker */
	base_ns_t flood_until;		     /* advert rings overflow */
	struct base_addr addr[SIM_FAMILIES]; /* family NONE: adverts come from the VIP */
	bool frame_seen;		     /* somebody's, since the box was told */
	base_ns_t frame_told;		     /* local */
	base_ns_t hold_until;		     /* local; NEVER: the link is trusted */
	base_ns_t hold_ended;
	struct queue nic;  /* received, not looked at: the worker is stalled */
	struct queue held; /* to be sent by the worker */
	base_ns_t horizon; /* local, as last set */
};

/** A configuration, as far as reloads change it; skews by box. */
struct sim_file {
	uint32_t version;
	bool has[SIM_GROUPS];
	uint8_t advbase[SIM_GROUPS], skew[SIM_NODES][SIM_GROUPS];
	uint8_t key[SIM_GROUPS]; /* enum sim_key, for all that makes digests others: VIPs as well */
	enum election_family_timers timers[SIM_GROUPS];
};

struct node {
	enum node_kind kind;
	uint8_t id;
	bool alive;
	uint8_t life;
	int32_t ppb; /* rate of its clock, parts per billion */
	base_ns_t offset;
	base_ns_t wall; /* its wall clock at global time 0; kept by NTP, so without drift */
	bool preempt;
	bool ctl_stalled, worker_stalled;
	base_ns_t ctl_stall_from, worker_stall_from; /* global */
	base_ns_t disturbed;			     /* global: nothing odd since */
	bool handoff;				     /* the worker sends for the control lcore */
	bool tells_frames;
	bool short_list;
	bool start_as_master;
	base_ns_t startup_hold, linkup_hold, preempt_delay, refresh;
	base_ns_t vmac_slow_until;
	struct port port[SIM_SEGS];
	uint8_t skew[SIM_GROUPS], skew_was; /* before the call that changes it */
	bool admin_up[SIM_GROUPS], has_vip[SIM_GROUPS];
	uint8_t key[SIM_GROUPS];
	uint8_t other[SIM_GROUPS]; /* the second one of a staged change, or KEY_NONE */
	/* by its configuration */
	bool has[SIM_GROUPS];
	uint8_t advbase[SIM_GROUPS];
	enum election_family_timers timers[SIM_GROUPS];
	struct sim_file file, next; /* what it runs on; what it is loading */
	bool reloading;

	/* as all can see */
	enum election_state state[SIM_GROUPS];
	base_ns_t state_since[SIM_GROUPS];
	base_ns_t promise[SIM_GROUPS]; /* global: interval in force */
	base_ns_t promise_before[SIM_GROUPS];

	/* koi */
	base_ns_t now; /* local, of this turn */
	base_ns_t started, health_since;
	base_ns_t stall_began; /* local; 0: no stall since the last turn */
	bool allow;
	bool stopping;
	uint8_t operator_demotion;
	bool drained;
	struct election *e;
	struct election_actions out;
	bool listening[SIM_GROUPS];
	struct auth_group *auth[SIM_GROUPS], *other_auth[SIM_GROUPS];
	const struct auth_counters *counters[SIM_GROUPS], *other_counters[SIM_GROUPS];
	struct koi_group koi[SIM_GROUPS];
	uint32_t demotion;		 /* the checker's: sum while actions are read */
	const struct election_event *ev; /* what the call is about; NULL: a tick */
	struct election_priority own;	 /* of the group of an advert, when it came */
	bool may_preempt;

	/* the others */
	struct peer_group peer[SIM_GROUPS];
	uint32_t suppress; /* NetBSD, OpenBSD: a count; FreeBSD: added to advskew */
	uint64_t cookie;
	base_ns_t down_since; /* 0: never up */
};

struct segment {
	base_ns_t delay_min, delay_max; /* what a good wire takes */
	base_ns_t cut_until[SIM_NODES][SIM_NODES];
	base_ns_t loss_until, dup_until, slow_until, reflect_until;
	base_ns_t deaf_until[SIM_FAMILIES]; /* one family's frames get lost */
	bool chatter;			    /* hosts are heard all the time */
	uint8_t loss_percent, dup_percent;
	base_ns_t slow_max;
	bool no_address;
	uint16_t capture[CAPTURES]; /* frames the attacker kept */
	uint8_t captured;
	uint16_t vhid_group[256];
};

/** What operators do with a box in a campaign: a change of a group that is staged on its boxes. */
struct staging {
	enum { STAGING_BEGIN, STAGING_DECIDE, STAGING_NOW, STAGING_DONE } step; /* the next one */
	uint8_t to;								/* key */
	bool decides, commits, now;   /* now: "commit now" or "abort now" in the end */
	base_ns_t wait[STAGING_DONE]; /* before each step */
	base_ns_t staged_at;	      /* 0: never */
	base_ns_t committed_at;	      /* 0: never, or not in time */
};
struct campaign {
	bool on;
	bool clean;	     /* nothing happened after which boxes may part */
	uint8_t ended_apart; /* boxes for which it ended while another one was in INIT */
	bool decided_apart;  /* an operator decided while one was */
	bool in_file;	     /* who starts again has the new one */
	uint8_t from, to;
	base_ns_t window;
	struct staging box[SIM_NODES];
};

/** A redundancy group, as nobody but the checker sees it. Global times. */
struct group {
	uint8_t seg, vhid;
	uint8_t advbase;  /* 0: fast, as on all boxes; else to begin with */
	uint8_t fast_min; /* fast groups: skews are this to twice this */
	uint8_t families; /* mask */
	enum election_family_timers family_timers;
	bool strict; /* counters carry time; koi only */
	struct base_addr vip[SIM_FAMILIES][SIM_VIPS];
	struct auth_group *auth_of[1u << SIM_FAMILIES][KEY_COUNT]; /* by mask */
	struct auth_group *const *auth;				   /* of this seed's mask */
	base_ns_t unit;	     /* what the group's life is measured in: advbase, or an interval */
	base_ns_t disturbed; /* when anything last happened to it */
	base_ns_t odd_since, owners_odd_since; /* not exactly one for a while; or NEVER */
	base_ns_t single_since;		       /* exactly one; or NEVER */
	base_ns_t none_since;
	uint8_t master_was;		      /* before the probe */
	base_ns_t lost[SIM_NODES][SIM_NODES]; /* from, to */
	struct campaign campaign;
};

/* The longest time that something lasted, what it may last, and where. */
struct sim_worst {
	base_ns_t ns, bound_ns;
	uint64_t seed;
};

struct sim_stats {
	uint64_t seeds, simulated_ns, events;
	uint64_t adverts, heard, lost, takeovers, duels;
	uint64_t forged, truncated, foreign, looped, replayed, replays_accepted;
	uint64_t strict_collisions; /* of counters of two boxes */
	uint64_t good_refused;	    /* of BSDs and ucarp, by the guard against replays */
	uint64_t stalls, crashes, partitions, link_flaps, operator_acts, reloads, peers;
	uint64_t stagings, campaigns, clean; /* changes staged on a box; on boxes together */
	/* [1]: with peers of another make, of which a guard may refuse one advert more */
	struct sim_worst overlap[2], gap;
	uint64_t failed;
};

enum heap_kind {
	HEAP_TURN = 0,
	HEAP_CTL_RESUME = SIM_NODES,
	HEAP_WORKER_RESUME = HEAP_CTL_RESUME + SIM_NODES,
	HEAP_RESTART = HEAP_WORKER_RESUME + SIM_NODES,
	HEAP_LINK_UP = HEAP_RESTART + SIM_NODES,
	HEAP_PEER_ADVERT = HEAP_LINK_UP + SIM_NODES * SIM_SEGS,
	HEAP_PEER_DOWN = HEAP_PEER_ADVERT + SIM_NODES * SIM_GROUPS,
	HEAP_MEDDLE = HEAP_PEER_DOWN + SIM_NODES * SIM_GROUPS * SIM_FAMILIES,
	HEAP_STAGE = HEAP_MEDDLE + 1,			   /* of a box's group */
	HEAP_RELOAD = HEAP_STAGE + SIM_NODES * SIM_GROUPS, /* operators' next idea */
	HEAP_SWEEP,
	HEAP_DELIVERY,
	HEAP_IDS = HEAP_DELIVERY + DELIVERIES,
};

enum scenario {
#define SCENARIO(sym, name, weight, text) SCENARIO_##sym,
#include "scenarios.def"
#undef SCENARIO
	SCENARIO_COUNT
};

enum check_id {
#define CHECK(sym, name, text) CHECK_##sym,
#include "checks.def"
#undef CHECK
	CHECK_COUNT
};

enum phase {
	PHASE_CHAOS, /* faults come */
	PHASE_WHOLE, /* everything was repaired */
	PHASE_PROBE, /* one clean event more */
};

struct sim {
	uint64_t seed;
	enum scenario scenario;
	struct base_rand rand;
	base_ns_t now; /* global */
	enum phase phase;
	base_ns_t phase_end;
	base_ns_t whole_since;
	uint8_t n_nodes, n_segs, n_vhids;
	uint16_t n_groups;
	bool fast;  /* every group is */
	bool quick; /* some group is */
	bool mixed; /* not all are koi */
	bool with_ip6;
	bool friendly;	   /* operators are all that happens */
	bool lockstep;	   /* nothing but chance parts equals: no drift, long wires */
	base_ns_t unit;	   /* the longest of the groups' */
	base_ns_t latency; /* an awake box begins its turn within this */
	base_ns_t meddle_mean;
	struct sim_file file;	     /* the newest */
	uint8_t next_box;	     /* the next one to load it */
	struct node *returning;	     /* what the probe is about, or NULL */
	uint32_t ledger, ledger_was; /* changes of any ledger, those before the probe */
	struct node node[SIM_NODES];
	struct segment seg[SIM_SEGS];
	struct group group[SIM_GROUPS];
	struct identity identity[SIM_NODES][SIM_GROUPS][AUTH_IDENTITIES];
	struct frame frame[FRAMES];
	uint16_t free_frame[FRAMES], n_free_frames;
	struct delivery delivery[DELIVERIES];
	uint32_t next_id;
	uint8_t taken[ADVERT_IDS]; /* of an advert: the boxes that let it in */
	uint8_t told[ADVERT_IDS];  /* of all that were sent as one: whose election was told */
	uint16_t free_delivery;	   /* list */
	void *heap_mem;
	struct base_heap heap;

	uint64_t checks; /* bits of enum check_id */
	bool verbose;
	bool failed;
	enum check_id failed_check;
	char failure[256];
	struct sim_stats *stats;
};

#define T0 (10 * BASE_NS_PER_S)

static inline void
sim_worst(struct sim_worst *w, const struct sim_worst *x)
{
	if (x->ns > w->ns)
		*w = *x;
}

/** @name sim.c @{ */
/** What every run needs once: groups' keys, memory. Aborts when that fails. */
struct sim *sim_new(void);
void sim_free(struct sim *s);
/** Run a seed. @return false when an invariant was violated; s says which and how. */
bool sim_run(struct sim *s, uint64_t seed, enum scenario scenario);
/** Scenario that a seed draws when none is asked for. */
enum scenario sim_scenario_of(uint64_t seed);
const char *sim_scenario_name(enum scenario c);
const char *sim_check_name(enum check_id c);

base_ns_t sim_local(const struct node *n, base_ns_t global);
/** The earliest global time at which the node's clock shows local or more. */
base_ns_t sim_global(const struct node *n, base_ns_t local);
/** A span of the node's clock, in global time, rounded up. */
base_ns_t sim_global_span(const struct node *n, base_ns_t local);
void sim_at(struct sim *s, unsigned int id, base_ns_t t);
/** Draw below bound. */
uint64_t sim_draw(struct sim *s, uint64_t bound);
bool sim_chance(struct sim *s, unsigned int percent);
void sim_fail(struct sim *s, enum check_id check, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void sim_trace(const struct sim *s, const struct node *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define TRACE(s, n, ...)                                  \
	do {                                              \
		if ((s)->verbose)                         \
			sim_trace((s), (n), __VA_ARGS__); \
	} while (0)
/** @} */

/** @name net.c: frames and wires. @{ */
void net_init(struct sim *s);
/** A frame nobody refers to yet, or NONE. */
uint16_t net_frame_new(struct sim *s);
void net_frame_put(struct sim *s, uint16_t frame);
/** A signed advert of a group, from this address or, of family NONE, from its first VIP. */
uint16_t net_advert(struct sim *s, uint16_t group, uint8_t family, enum sim_key key,
	const struct base_addr *src, const struct election_priority *prio, uint64_t counter);
/** The address of a node, or of somebody after the last, on a segment. */
struct base_addr net_address(uint8_t seg, uint8_t family, unsigned int node);
static inline size_t
net_ip_len(const struct frame *f)
{
	return f->family ? WIRE_IP6_LEN : WIRE_IP4_LEN;
}
/** Write the CARP header of frame f again with other unauthenticated fields. */
void net_advert_patch(struct frame *f, const struct election_priority *prio);
/** Put a frame of node n on the wire of its group. Takes the frame. */
void net_send(struct sim *s, struct node *n, uint16_t frame);
/** One copy to one node, at the wire's pace. */
void net_send_one(struct sim *s, struct node *to, uint16_t frame);
void net_arrive(struct sim *s, uint16_t delivery);
void net_queue_add(struct sim *s, struct queue *q, uint16_t delivery);
uint16_t net_queue_take(struct sim *s, struct queue *q);
void net_queue_clear(struct sim *s, struct queue *q);
void net_delivery_free(struct sim *s, uint16_t delivery);
uint16_t net_delivery_new(struct sim *s, uint16_t frame, uint8_t to);
/** @} */

/** @name box.c, box_act.c, box_rx.c: a koi box. @{ */
void box_start(struct sim *s, struct node *n);
void box_crash(struct sim *s, struct node *n);
void box_turn(struct sim *s, struct node *n);
void box_arrive(struct sim *s, struct node *n, uint16_t delivery);
/** Stop the control lcore, the workers or both until then. */
void box_stall(struct sim *s, struct node *n, bool ctl, bool worker, base_ns_t until);
void box_ctl_resume(struct sim *s, struct node *n);
void box_worker_resume(struct sim *s, struct node *n);
/** Feed the election and carry out what it asks. */
int box_feed(struct sim *s, struct node *n, const struct election_event *ev);
void box_tick(struct sim *s, struct node *n);
/** A worker's burst on the device. Takes the frame. */
void box_transmit(struct sim *s, struct node *n, uint16_t frame);
/** From the worker to the control lcore. Takes the delivery. */
void box_to_ring(struct sim *s, struct node *n, uint16_t delivery);
/** Horizons and rings. */
void box_hear(struct sim *s, struct node *n);
/** That anybody is heard at all. */
void box_tell_frames(struct sim *s, struct node *n);
/** A lcore that is awake begins its turn then. */
base_ns_t box_soon(struct sim *s);
/** Be awake at this global time at the latest. */
void box_wake(struct sim *s, struct node *n, base_ns_t t);
/** An operator's request, carried out in a turn of its own. */
void box_request(struct sim *s, struct node *n, const struct election_event *ev);
/** The key of a group is another one, at once. */
void box_rekey(struct sim *s, struct node *n, uint16_t group, enum sim_key key);
/** What runs, or the second one of a staged change. */
struct identity *box_identity(struct sim *s, const struct node *n, uint16_t group, bool other);
/** An identity of a group begins: nothing was heard with it. */
void box_identity_begin(struct sim *s, struct node *n, uint16_t group, bool other);
/** In the shape that the advert check wants. */
void box_identity_use(struct sim *s, struct node *n, uint16_t group);
/** Adverts with this key are good ones. */
static inline bool
box_accepts(const struct node *n, uint16_t group, uint8_t key)
{
	return n->key[group] == key || n->other[group] == key;
}
/** What one sends as MASTER the other accepts, as far as digests go. */
bool box_hears(const struct node *n, const struct node *from, uint16_t group);
bool box_running(const struct node *n);
/** The beginning of a group of a koi box, but for the election's part. */
void box_group_begin(struct sim *s, struct node *n, uint16_t group);
/** What the election is told of a group. */
struct election_group_config box_group_config(
	const struct sim *s, const struct node *n, uint16_t group);
/** Carry out what calls into the election left. */
void box_act(struct sim *s, struct node *n);
/** @} */

/** @name peers.c: the BSDs and ucarp. @{ */
void peer_start(struct sim *s, struct node *n);
void peer_crash(struct sim *s, struct node *n);
void peer_arrive(struct sim *s, struct node *n, uint16_t frame);
void peer_advert_timer(struct sim *s, struct node *n, uint16_t group);
void peer_down_timer(struct sim *s, struct node *n, uint16_t group, uint8_t family);
void peer_admin(struct sim *s, struct node *n, uint16_t group, bool up);
void peer_link(struct sim *s, struct node *n, uint8_t seg, bool up);
void peer_suppress(struct sim *s, struct node *n, uint32_t amount);
struct election_priority peer_priority(const struct sim *s, const struct node *n, uint16_t group);
base_ns_t peer_master_down(const struct sim *s, const struct node *n, uint16_t group);
const char *peer_kind_name(enum node_kind k);
/** @} */

#include "sim_check.h"
#include "sim_plan.h"

#endif
