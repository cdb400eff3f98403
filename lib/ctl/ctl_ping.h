/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_PING_H
#define CTL_PING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base_addr.h"
#include "ctl.h"
#include "ctl_probe.h"

/**
 * @file
 * Ping and traceroute, by echo requests that the control lcore sends and whose answers it hears. A
 * run is a slot with a state, as requests are: who wants one fills it, the control lcore serves it
 * in its turns, and lines of what happens are read from a ring. Who reads too slowly loses lines,
 * never counts.
 */

/** Runs at once. */
#define CTL_PINGS_MAX 4
/** Lines of a run that wait to be read; a power of two. */
#define CTL_PING_LINES 256

struct ctl_ping_ask {
	struct base_addr dst;
	struct base_addr src; /**< family NONE: an address of the interface that it leaves by */
	uint16_t if_index;    /**< of a link-local dst; else ELECTION_NONE */
	uint16_t payload;     /**< bytes after the ICMP header */
	struct ctl_probe_plan plan;
};

enum ctl_ping_what {
	CTL_PING_REPLY = 0,
	CTL_PING_DUPLICATE,
	CTL_PING_ERROR,	 /**< an ICMP error about it */
	CTL_PING_LOST,	 /**< no answer within the plan's timeout */
	CTL_PING_UNSENT, /**< it could not be sent */
};
/** Why it could not. */
enum ctl_ping_why {
	CTL_PING_NO_ROUTE = 0,
	CTL_PING_EDGE,	      /**< network, broadcast or anycast address of a subnet */
	CTL_PING_ROUTE_SAYS,  /**< the route is blackhole, unreachable or prohibit */
	CTL_PING_NO_LINK,     /**< of if_index */
	CTL_PING_TOO_LONG,    /**< for the MTU of if_index, where the way leads now */
	CTL_PING_NO_NEIGHBOR, /**< next_hop on if_index does not answer */
	CTL_PING_NO_SOURCE,   /**< the source is not an address of this box at the moment */
	CTL_PING_NO_BUFFER,   /**< no packet buffer, or no room to send */
};
struct ctl_ping_line {
	enum ctl_ping_what what;
	enum ctl_ping_why why; /**< UNSENT */
	uint16_t seq;
	uint8_t hops;		   /**< TTL that it was sent with */
	struct base_addr from;	   /**< REPLY, DUPLICATE, ERROR */
	bool here;		   /**< REPLY: it is an address of this box */
	uint8_t ttl;		   /**< of the answer */
	uint16_t bytes;		   /**< of the answer's ICMP message */
	uint8_t type, code;	   /**< ERROR */
	uint32_t mtu;		   /**< ERROR: too big for it; else 0 */
	base_ns_t rtt;		   /**< REPLY, DUPLICATE, ERROR */
	uint16_t if_index;	   /**< UNSENT: NO_LINK, NO_NEIGHBOR */
	struct base_addr next_hop; /**< UNSENT: NO_NEIGHBOR */
};

/**
 * Begin a run.
 * @param src   filled with the source address
 * @param note  filled on failure with the reason in words
 * @return the number of the run; -EBUSY CTL_PINGS_MAX run already; -EHOSTUNREACH no way there;
 *         -EADDRNOTAVAIL no source address; -EMSGSIZE longer than the MTU; -ETIMEDOUT the control
 *         lcore did not answer in 2 s
 * @thread any but lcores; it blocks
 */
int ctl_ping_open(struct ctl *c, const struct ctl_ping_ask *ask, struct base_addr *src, char *note,
	size_t note_len);
/** Lines that were not read yet, oldest first. @return how many, at most cap @thread the opener */
uint32_t ctl_ping_read(struct ctl *c, int run, struct ctl_ping_line *out, uint32_t cap);
/**
 * Whether the run has ended, so that ctl_ping_read() gives no more than there is.
 * @param missed  lines that had no room
 * @thread the opener
 */
bool ctl_ping_ended(const struct ctl *c, int run, struct ctl_probe_sum *sum, uint32_t *missed);
/** End it now; ctl_ping_ended() is soon true. @thread the opener */
void ctl_ping_stop(struct ctl *c, int run);
/** It is not needed any more, ended or not. Never waits. @thread the opener */
void ctl_ping_close(struct ctl *c, int run);

#endif
