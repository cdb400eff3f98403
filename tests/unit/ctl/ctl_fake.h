/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_FAKE_H
#define CTL_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth.h"
#include "conf.h"
#include "ctl.h"
#include "dp.h"
#include "dp_probe.h"
#include "fib.h"
#include "fib_nbr.h"
#include "wire.h"
#include "wire6.h"
#include "wire_ra.h"

/** @file A control plane on fakes of what is below it, with a clock that tests move. */

#define FAKE_FRAMES 256
#define FAKE_LEARNT 16

struct fake_frame {
	base_ns_t at;
	uint16_t if_index, group;
	uint16_t len;
	uint8_t bytes[160];
};

struct fake {
	base_ns_t now;
	base_ns_t step; /* added each time the clock is read */
	base_ns_t horizon;
	int send_error;		/* what dp_ctl_send() answers */
	uint32_t send_failures; /* what dp_advert_send_failures() answers */
	bool owned[8], answering[8], link_up[8];
	uint32_t n_frames;
	struct fake_frame frame[FAKE_FRAMES];
	uint32_t n_adverts, n_punts; /* waiting */
	struct dp_punt advert[64], punt[64];
	uint32_t flood; /* of forged adverts, without end; this many wait at a mark */
	uint32_t owed, n_marks;
	uint32_t horizon_reads_after_drain;
	bool drained;
	bool has_port_event, port_link_up;
	struct fake_told { /* what others said of themselves */
		bool asker, solicited, override, has_mac;
		struct base_addr addr;
		uint8_t mac[BASE_MAC_LEN];
	} told[FAKE_LEARNT];
	uint32_t n_told;
	bool warm[8]; /* by fib_nbr_warm() */
	uint32_t n_gateways;
	struct fib_gateway gateway[64]; /* what dp_ctl_gateways() tells */
	struct {
		uint16_t if_index;
		struct base_addr addr;
		uint8_t mac[BASE_MAC_LEN];
	} nbr_set; /* by fib_nbr_set() or fib_nbr_forget() */
	uint32_t n_nbr_set, n_nbr_forgotten, n_nbr_clears;
	uint16_t nbr_cleared_if;
	int nbr_result;	   /* what they answer */
	uint32_t nbr_room; /* calls of fib_nbr_set() after which there is no room; 0: no end */
	bool nbr_static;
	base_ns_t last_frame;
	uint32_t forgets; /* what dp_longest_turn_asked() answers */
	uint16_t n_known; /* sources published last */
	uint16_t port;	  /* of port_event */
	bool filter_event, filter_ok;
	bool device_event, device_attached;  /* of port 0 */
	bool detached;			     /* what dp_detached() answers */
	bool attached[8];		     /* by dp_attach() */
	bool if_down[8];		     /* by dp_if_set() */
	uint32_t frames_at_down;	     /* n_frames then */
	uint32_t n_detached;		     /* calls of port_set_detached() */
	uint32_t n_rosters;		     /* published */
	const struct ctl_request *meanwhile; /* asked for while a reload waits for a hand-over */
	int meanwhile_result;
	struct {
		struct base_addr dst;
		uint16_t id;
	} probe[DP_PROBES_MAX];	      /* by dp_probe_expect() */
	struct dp_way way;	      /* what dp_probe_way() answers */
	void (*on_way)(void);	      /* called once by the next dp_probe_way(), before it does */
	enum fib_nbr_state nbr_state; /* what fib_nbr_state_of() answers */
	bool nbr_known;		      /* fib_nbr_lookup() finds everybody, at rig_asker_mac */
};
extern struct fake fake;

/** EAL and mempool, once a program; 0 for cmocka. */
int fake_eal_setup(void **state);
int fake_eal_teardown(void **state);
/** Mempool is whole again: no packet leaked. */
void fake_assert_no_leak(void);

/** @name The rig's world: one LAN, 192.0.2.0/24. @{ */
#define RIG_VIP	  UINT32_C(0xc0000201)
#define RIG_OWN	  UINT32_C(0xc0000202)
#define RIG_PEER  UINT32_C(0xc0000203)
#define RIG_ASKER UINT32_C(0xc0000264)
#define RIG_START (1000 * BASE_NS_PER_S)
#define RIG_DOWN  (3 * BASE_NS_PER_S) /**< master-down time of its groups */
extern const uint8_t rig_vmac[BASE_MAC_LEN];
extern const uint8_t rig_if_mac[BASE_MAC_LEN];
extern const uint8_t rig_asker_mac[BASE_MAC_LEN];
/** Two interfaces with a group each, preempt on. */
extern const char rig_pair[];
/** Two interfaces with a tag on one device, vhid 1 on both. */
extern const char rig_tagged[];
/** One interface without an address, one group. */
extern const char rig_bare[];
/** One interface and one group, each with an address of both families. */
extern const char rig_dual[];
extern const uint8_t rig_vip6[16], rig_own6[16], rig_host6[16];
/** @} */

/** Devices of the next rig; NULL for those of ctl_fake_port.c. */
extern struct port_set *rig_ports;

struct rig {
	struct conf *conf;
	struct ctl *ctl;
};
/** A control plane from a configuration text, its clock at 1000 s, its first turn done. */
struct rig rig_make(const char *json);
void rig_free(struct rig *r);
/** Turn after turn, 1 ms apart, up to a time; then exactly at that time. */
void rig_run(struct rig *r, base_ns_t until);
/** One turn at the present time. */
void rig_turn(struct rig *r);
/** Put an advert of a peer in the ring. */
void rig_advert(struct rig *r, const char *pass, uint8_t vhid, uint32_t vip, uint32_t src,
	uint8_t advbase, uint8_t advskew, uint8_t demotion);
/** A packet with these bytes. */
struct rte_mbuf *rig_mbuf(const void *frame, uint16_t len);
/** Put any frame in a punt ring. */
void rig_punt(enum dp_punt_class cls, uint16_t group, const void *frame, uint16_t len);
/** Put a solicitation of rig_host6 in a ring, and forget what was sent. */
void rig_solicit(enum dp_punt_class cls, const uint8_t target[16]);
/** A neighbour discovery message that was sent. */
struct wire_nd rig_nd(const struct fake_frame *f, struct wire_ip6 *ip);
/** Put an ARP frame in a ring. */
void rig_arp(struct rig *r, enum dp_punt_class cls, uint16_t group, const uint8_t *eth_dst,
	const struct wire_arp *arp);
/** The n-th advert sent since the last fake.n_frames = 0; NULL when there is none. */
const struct fake_frame *sent_advert(uint32_t n, struct wire_carp *out);
uint32_t sent_adverts(void);
/** The same for ARP. */
const struct fake_frame *sent_arp(uint32_t n, struct wire_arp *out);
uint32_t sent_arps(void);
/** The n-th IPv6 frame sent; NULL when there is none. */
const struct fake_frame *sent_ip6(uint32_t n);
uint32_t sent_ip6s(void);
/** The n-th router advertisement sent; NULL when there is none. */
const struct fake_frame *sent_ra(uint32_t n, struct wire_ra *ra, struct wire_ip6 *ip);
/** The view of a group. */
struct ctl_group_view rig_group(struct rig *r, uint16_t group);
/** Whether an advert of vhid 1 was signed with this password, for this VIP alone. */
bool rig_signed(const struct wire_carp *carp, const char *pass, uint32_t vip);
/**
 * What the next advert of a MASTER, whose group is that of rig_bare, consists of.
 * @return buf, a letter for each: o is signed as rig_bare has it, n with what is staged
 */
const char *rig_next_adverts(struct rig *r, const char *new_pass, uint32_t new_vip, char buf[8]);
/** State of a group by its view. */
enum election_state rig_state(struct rig *r, uint16_t group);
/** Let time pass until the groups time out and take over. */
void rig_to_master(struct rig *r);
/** Somebody asks for the first group's VIP; frames sent and learnt are forgotten before. */
void rig_ask(struct rig *r, uint32_t sender, const uint8_t *mac);
struct conf *rig_parse(const char *json);
/** Hand over another configuration while turns go on; the rig has the one before still. */
int rig_take(struct rig *r, struct conf *next, char *note, size_t note_len);
/** The same; on success it is the rig's and the one before is freed, else this one is. */
int rig_replace(struct rig *r, struct conf *next, char *note, size_t note_len);
/** Load another configuration while turns go on; on success it is the rig's. */
int rig_reload(struct rig *r, const char *json, char *note, size_t note_len);
/** The same where nothing may go wrong. */
void rig_load(struct rig *r, const char *json);
/**
 * Call something from another thread while turns go on.
 * @param waits  for groups that hand over, for which time is to pass
 */
void rig_beside(struct rig *r, void (*call)(void *arg), void *arg, bool waits);
/** Post a request from another thread while turns go on. */
int rig_request(struct rig *r, const struct ctl_request *req, char *note, size_t note_len);

#endif
