/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_PROBE_H
#define CTL_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base_time.h"

/**
 * @file
 * The plan of a ping or a traceroute: which probe is sent when, and with which TTL, which answer
 * belongs to which probe, what came of all. Pure: time is an argument, packets are numbers.
 *
 * A ping sends count probes, interval_ns apart, whatever becomes of them. A traceroute sends
 * per_hop probes with each TTL from 1 on, and goes on to the next one when all of them were
 * answered or given up; it ends with the TTL that reached the end, with max_hops, or with the one
 * of which no probe could be sent.
 * @thread one at a time
 */

/** Probes that may be without an answer at once; of ping timeout_ns / interval_ns at most. */
#define CTL_PROBE_WINDOW 256

struct ctl_probe_plan {
	bool trace;
	uint16_t count;	  /**< ping: how many */
	uint8_t max_hops; /**< traceroute: largest TTL */
	uint8_t per_hop;  /**< traceroute: probes of each TTL */
	base_ns_t interval_ns;
	base_ns_t timeout_ns; /**< after which a probe is given up; a later answer still counts */
};

enum ctl_probe_state {
	CTL_PROBE_NONE = 0, /**< no such probe, or too long ago */
	CTL_PROBE_WAITING,
	CTL_PROBE_LOST,	    /**< given up */
	CTL_PROBE_ANSWERED, /**< by a reply or an error */
};

/** What came of it; times are those of replies. */
struct ctl_probe_sum {
	uint32_t sent;	   /**< those that could not be sent included */
	uint32_t received; /**< probes with a reply */
	uint32_t duplicates, errors;
	base_ns_t min, max, total; /**< of received */
};

struct ctl_probe {
	struct ctl_probe_plan plan;
	struct ctl_probe_sum sum;
	uint16_t next;	   /**< number of the next probe: its sequence number */
	uint16_t first;	   /**< all before it were answered or given up */
	base_ns_t next_at; /**< when it is to be sent; BASE_NS_NEVER while others are waited for */
	bool reached;	   /**< traceroute: no TTL after this one */
	uint8_t unsent;	   /**< how many in a row could not be sent, at most per_hop */
	bool stopped;
	struct {
		base_ns_t at;
		enum ctl_probe_state state;
	} slot[CTL_PROBE_WINDOW];
};

void ctl_probe_begin(struct ctl_probe *p, const struct ctl_probe_plan *plan, base_ns_t now);
/** The TTL of a probe of a traceroute. */
uint8_t ctl_probe_ttl(const struct ctl_probe *p, uint16_t seq);
/** Whether probe p->next is to be sent now. */
bool ctl_probe_due(const struct ctl_probe *p, base_ns_t now);
/** It was, at a time. */
void ctl_probe_sent(struct ctl_probe *p, base_ns_t at);
/** It could not be: counts as sent, and as lost. */
void ctl_probe_unsent(struct ctl_probe *p, base_ns_t now);
/**
 * An answer.
 * @param reply  from where the probe went to; else an error about it
 * @param end    nothing lies behind who says this: of a traceroute the last TTL
 * @param rtt    filled unless NONE
 * @return what the probe was before: NONE for one that was not sent, or too long ago
 */
enum ctl_probe_state ctl_probe_answer(
	struct ctl_probe *p, uint16_t seq, bool reply, bool end, base_ns_t at, base_ns_t *rtt);
/** Give up the oldest probe that is due for that. @return false: none is */
bool ctl_probe_expire(struct ctl_probe *p, base_ns_t now, uint16_t *seq);
/** Send no more, wait for nothing. */
void ctl_probe_stop(struct ctl_probe *p);
/** All was sent, and answered or given up. */
bool ctl_probe_over(const struct ctl_probe *p);
/** When it has something to do next; BASE_NS_NEVER when it is over. */
base_ns_t ctl_probe_deadline(const struct ctl_probe *p);

#endif
