/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_FAKE_H
#define MGMT_FAKE_H

#include "conf.h"
#include "ctl.h"
#include "ctl_frame.h"
#include "ctl_ping.h"
#include "dp.h"
#include "dp_capture.h"
#include "fib_builder.h"
#include "fib_nbr.h"
#include "host.h"
#include "mgmt.h"
#include "port.h"

/**
 * @file
 * A box for tests of management: what ctl, dp, fib and port would answer is set by hand. Fields may
 * be changed while no session runs.
 */

#define FAKE_NOW (100 * BASE_NS_PER_S)

struct fake_box {
	struct mgmt_config config;
	struct conf *conf;
	base_ns_t now;
	base_ns_t step; /**< the clock goes on by so much each time it is read */
	struct ctl_group_view groups[2];
	struct ctl_box_view box;
	struct election_demotion_entry demotions[4];
	uint32_t n_demotions;
	struct ctl_peer peers[2];
	uint32_t n_peers; /**< of group 0 */
	/**
	 * Who becomes master of each group 3 ms after CTL_REQ_DRAIN; family NONE: nobody, the group
	 * is MASTER again.
	 */
	struct base_addr successor[2];
	base_ns_t drained_at; /**< 0 = not drained */
	char drained_dir[64]; /**< made by persistence, removed by fake_teardown() */
	char drained_path[80];
	struct ctl_event events[600];
	uint32_t n_events;
	struct ctl_frame *frames; /**< of the test; from seq 1 */
	uint64_t n_frames;
	/* rings of captured frames, of the test; how many there are and were taken */
	struct dp_capture_frame *data[2];
	uint32_t n_data[2], n_taken[2];
	uint16_t capture_if;	  /**< as dp_capture_start() was told */
	uint32_t capture_snap;	  /**< 0: stopped */
	uint64_t capture_lost[3]; /**< lan, wan, none */
	/* requests: the last one, and what it is answered with */
	struct ctl_request request;
	uint32_t n_requests;
	int request_rc;
	void (*on_request)(void); /**< called while one is carried out, or NULL */
	const char *note;
	struct {
		int rc; /**< of ctl_ping_open(), with note */
		uint32_t n_opened, n_closed, n_lines, n_read;
		bool endless, stopped; /**< it ends when it is stopped */
		struct base_addr src;
		struct ctl_ping_ask ask; /**< as it was opened last */
		struct ctl_ping_line lines[32];
		struct ctl_probe_sum sum;
	} ping;
	const struct conf *reloaded; /**< what was applied last */
	uint32_t n_loads, n_reloads; /**< begun, and tried to apply; all were ended */
	uint32_t n_begins;	     /**< atomic: tried to begin */
	base_ns_t begun_at[8];	     /**< when the first ones were */
	struct dp_stats dp;
	struct dp_worker_info worker;
	struct fib_route *routes;
	uint32_t n_runtime, route_match;
	uint32_t n_changes;
	struct fib_change change; /* the last one */
	int change_error;
	int reading; /* how often the list is held */
	uint32_t n_routes;
	struct fib_nbr_row nbrs[4];
	uint32_t n_nbrs;
	struct host_if_view host; /**< of the first interface; rate 0: it has no host path */
	struct dp_host_stats host_stats;
	bool if_down[2];
	struct port_info ports[2];
	struct port_stats port_stats[2];
	int port_stats_rc;
	uint32_t n_forgets; /**< dp_longest_turn_forget() */
};

/** The box of this process: fw1 with lan and wan, carp0 MASTER on lan, carp1 BACKUP on wan. */
extern struct fake_box fake;
/** Loads whatever it is given, unless change_error or request_rc say otherwise. */
extern const struct mgmt_loader fake_loader;

/** Make it new. */
void fake_setup(void);
/** The same with IPv6: carp0 has VIPs of both families, carp1 of IPv6 only. */
void fake_setup_dual(void);
void fake_teardown(void);
/** @name The same as fixtures of a test. @{ */
int fake_before(void **state);
int fake_before_dual(void **state);
int fake_after(void **state);
/** @} */

/** Append an event; seq and times are filled in, the rest by the caller, if nobody follows yet. */
struct ctl_event *fake_event(enum ctl_event_kind kind);
/** Append the transition into the state that the group has, with the priorities that it has. */
struct ctl_event *fake_transition(
	uint16_t group, enum election_state from, enum election_cause cause);

struct base_addr fake_ip6(const char *text);

#endif
