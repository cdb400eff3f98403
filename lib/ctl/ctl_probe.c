/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "ctl_probe.h"

#include <string.h>

void
ctl_probe_begin(struct ctl_probe *p, const struct ctl_probe_plan *plan, base_ns_t now)
{
	memset(p, 0, sizeof(*p));
	p->plan = *plan;
	p->next_at = now;
}

uint8_t
ctl_probe_ttl(const struct ctl_probe *p, uint16_t seq)
{
	return (uint8_t)(seq / p->plan.per_hop + 1);
}

static uint32_t
planned(const struct ctl_probe *p)
{
	if (!p->plan.trace)
		return p->plan.count;
	return (uint32_t)p->plan.max_hops * p->plan.per_hop;
}

/* Of a traceroute: the next one is the first of another TTL. */
static bool
at_hop(const struct ctl_probe *p)
{
	return p->plan.trace && p->next % p->plan.per_hop == 0;
}

static bool
more(const struct ctl_probe *p)
{
	return !p->stopped && p->next < planned(p) && !(p->reached && at_hop(p));
}

bool
ctl_probe_due(const struct ctl_probe *p, base_ns_t now)
{
	return more(p) && p->next_at <= now && p->next - p->first < CTL_PROBE_WINDOW;
}

/* All probes of a TTL are settled: on to the next one. */
static void
settle(struct ctl_probe *p, base_ns_t now)
{
	while (p->first < p->next &&
		p->slot[p->first % CTL_PROBE_WINDOW].state != CTL_PROBE_WAITING)
		p->first++;
	if (p->next_at == BASE_NS_NEVER && p->first == p->next)
		p->next_at = now;
}

static void
step(struct ctl_probe *p, base_ns_t at, enum ctl_probe_state state)
{
	p->slot[p->next % CTL_PROBE_WINDOW].at = at;
	p->slot[p->next % CTL_PROBE_WINDOW].state = state;
	p->sum.sent++;
	p->next++;
	/* Where it was late the rest is not sent in a burst. */
	p->next_at = at_hop(p) ? BASE_NS_NEVER : base_ns_add(at, p->plan.interval_ns);
	settle(p, at);
}

void
ctl_probe_sent(struct ctl_probe *p, base_ns_t at)
{
	p->unsent = 0;
	step(p, at, CTL_PROBE_WAITING);
}

void
ctl_probe_unsent(struct ctl_probe *p, base_ns_t now)
{
	/* what does not leave the box with one TTL does not with a larger one */
	if (p->plan.trace && ++p->unsent >= p->plan.per_hop)
		p->reached = true;
	step(p, now, CTL_PROBE_LOST);
}

enum ctl_probe_state
ctl_probe_answer(
	struct ctl_probe *p, uint16_t seq, bool reply, bool end, base_ns_t at, base_ns_t *rtt)
{
	enum ctl_probe_state was;

	if (seq >= p->next || p->next - seq > CTL_PROBE_WINDOW)
		return CTL_PROBE_NONE;
	was = p->slot[seq % CTL_PROBE_WINDOW].state;
	*rtt = base_ns_since(at, p->slot[seq % CTL_PROBE_WINDOW].at);
	if (was == CTL_PROBE_ANSWERED) {
		p->sum.duplicates++;
		return was;
	}
	p->slot[seq % CTL_PROBE_WINDOW].state = CTL_PROBE_ANSWERED;
	if (!reply) {
		p->sum.errors++;
	} else {
		if (p->sum.received == 0 || *rtt < p->sum.min)
			p->sum.min = *rtt;
		if (*rtt > p->sum.max)
			p->sum.max = *rtt;
		p->sum.total += *rtt;
		p->sum.received++;
	}
	p->reached |= end;
	settle(p, at);
	return was;
}

bool
ctl_probe_expire(struct ctl_probe *p, base_ns_t now, uint16_t *seq)
{
	if (p->first == p->next ||
		base_ns_since(now, p->slot[p->first % CTL_PROBE_WINDOW].at) < p->plan.timeout_ns)
		return false;
	*seq = p->first;
	p->slot[p->first % CTL_PROBE_WINDOW].state = CTL_PROBE_LOST;
	settle(p, now);
	return true;
}

void
ctl_probe_stop(struct ctl_probe *p)
{
	p->stopped = true;
	p->first = p->next;
}

bool
ctl_probe_over(const struct ctl_probe *p)
{
	return !more(p) && p->first == p->next;
}

base_ns_t
ctl_probe_deadline(const struct ctl_probe *p)
{
	base_ns_t at = BASE_NS_NEVER;

	if (more(p) && p->next - p->first < CTL_PROBE_WINDOW)
		at = p->next_at;
	if (p->first != p->next) {
		base_ns_t lost =
			base_ns_add(p->slot[p->first % CTL_PROBE_WINDOW].at, p->plan.timeout_ns);

		if (lost < at)
			at = lost;
	}
	return at;
}
