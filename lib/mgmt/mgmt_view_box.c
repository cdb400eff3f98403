/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The box as a whole: what it is, its lcores, what it forwards and drops, its configuration. */
#include "mgmt_view_priv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_version.h>

#include "conf.h"
#include "ctl.h"
#include "dp.h"
#include "fib_builder.h"
#include "fib_nbr.h"

#include "mgmt_json_priv.h"
#include "mgmt_marks_priv.h"
#include "mgmt_pace_priv.h"

json_t *
mgmt_view_info(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object(), *late = json_array();
	struct ctl_box_view box;
	base_ns_t now = dp_clock();

	(void)a;
	ctl_box_view(c->ctl, &box);
	put_str(o, "version", KOI_VERSION);
	put_str(o, "dpdk", rte_version());
	put_str(o, "node", c->conf->node);
	put_u64(o, "pid", (uint64_t)getpid());
	put_str(o, "config", c->conf->path ? c->conf->path : "");
	put_u64(o, "uptime_ms", base_ns_since(now, box.started_at) / BASE_NS_PER_MS);
	put_u64(o, "published_ms_ago", base_ns_since(now, box.published_at) / BASE_NS_PER_MS);
	put_bool(o, "allow", box.allow);
	put_bool(o, "drained", box.drained);
	put_bool(o, "preempt", box.preempt);
	put_bool(o, "arpbalance", box.arpbalance);
	put_u64(o, "log", box.log);
	put_u64(o, "demotion", box.demotion);
	put_u64(o, "interfaces", c->conf->n_ifs);
	put_u64(o, "groups", mgmt_group_count(c));
	put_u64(o, "masters", box.masters);
	put_u64(o, "backups", box.backups);
	put_u64(o, "inits", box.inits);
	put_u64(o, "routes", fib_route_count(fib_builder_read(c->routes)));
	fib_builder_read_end(c->routes);
	put_u64(o, "control_turns", box.turns);
	put_u64(o, "control_sleeps", box.sleeps);
	put_u64(o, "control_stalls", box.stalls);
	put_u64(o, "control_longest_turn_us", box.longest_turn_ns / BASE_NS_PER_US);
	put_u64(o, "late_max_us", box.late_max / BASE_NS_PER_US);
	put_u64(o, "late_sum_us", box.late_sum / BASE_NS_PER_US);
	/* adverts served less than 4, 8, 16, … us after their deadline */
	for (unsigned int i = 0; i < CTL_LATE_BUCKETS; i++)
		json_array_append_new(late, json_integer((json_int_t)box.late[i]));
	json_object_set_new(o, "late_buckets", late);
	put_u64(o, "clients_paced", mgmt_client_counted(MGMT_CLIENT_PACED));
	put_u64(o, "clients_cut", mgmt_client_counted(MGMT_CLIENT_CUT));
	put_u64(o, "clients_refused", mgmt_client_counted(MGMT_CLIENT_REFUSED));
	return o;
}

/* Nanoseconds of a lcore, in words and in cycles of the time stamp counter. */
static void
put_time(json_t *o, const struct mgmt_config *c, const char *ms, const char *cycles, uint64_t ns)
{
	put_u64(o, ms, ns / BASE_NS_PER_MS);
	put_u64(o, cycles, (uint64_t)((double)ns * ((double)c->tsc_hz / 1e9)));
}

static void
put_worker(json_t *o, const struct mgmt_config *c, uint16_t worker)
{
	struct dp_worker_info w = {0};
	json_t *sizes = json_array();
	uint64_t frames = 0;

	mgmt_since_worker(c, worker, &w, &frames);
	put_u64(o, "rx_queues", w.n_rxq);
	put_u64(o, "turns", w.turns);
	put_u64(o, "empty_turns", w.empty_turns);
	put_u64(o, "sleeps", w.sleeps);
	put_time(o, c, "busy_ms", "busy_cycles", w.busy_ns);
	put_time(o, c, "idle_ms", "idle_cycles", w.idle_ns);
	put_u64(o, "packets", frames);
	/* polls that gave 0, 1, 2 to 3, 4 to 7, ... packets */
	for (unsigned int b = 0; b < DP_BURST_SIZES; b++)
		json_array_append_new(sizes, json_integer((json_int_t)w.bursts[b]));
	json_object_set_new(o, "bursts", sizes);
	put_u64(o, "longest_turn_us", w.longest_turn_ns / BASE_NS_PER_US);
	put_u64(o, "last_turn_us_ago", base_ns_since(dp_clock(), w.last_turn) / BASE_NS_PER_US);
}

static void
put_control(json_t *o, const struct mgmt_config *c)
{
	struct ctl_box_view box;

	mgmt_since_box(c, &box);
	put_u64(o, "turns", box.turns);
	put_u64(o, "sleeps", box.sleeps);
	put_u64(o, "stalls", box.stalls);
	put_u64(o, "longest_turn_us", box.longest_turn_ns / BASE_NS_PER_US);
}

json_t *
mgmt_view_lcores(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object(), *list = json_array(), *item;

	(void)a;
	for (uint16_t i = 0; i < c->n_lcores; i++) {
		const struct mgmt_lcore *lc = &c->lcores[i];
		unsigned int worker;

		item = json_object();
		put_u64(item, "lcore", lc->lcore_id);
		json_object_set_new(item, "cpu", json_integer(lc->cpu));
		json_object_set_new(item, "numa_node", json_integer(lc->numa_node));
		put_str(item, "role", lc->role);
		put_str(item, "note", lc->note ? lc->note : "");
		if (sscanf(lc->role, "worker %u", &worker) == 1 && worker < dp_worker_count(c->dp))
			put_worker(item, c, (uint16_t)worker);
		else if (strcmp(lc->role, "control") == 0)
			put_control(item, c);
		json_array_append_new(list, item);
	}
	json_object_set_new(o, "lcores", list);
	return o;
}

json_t *
mgmt_view_drops(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object();
	uint64_t drops[DP_DROP_COUNT];

	(void)a;
	mgmt_since_drops(c, drops);
	for (unsigned int i = 0; i < DP_DROP_COUNT; i++)
		put_u64(o, dp_drop_name((enum dp_drop)i), drops[i]);
	return o;
}

json_t *
mgmt_view_fwd_stats(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object();
	struct fib_nbr_stats nbr;
	struct dp_stats s;
	uint64_t drops = 0;

	(void)a;
	dp_stats_sum(c->dp, &s);
	fib_nbr_stats(c->nbr, &nbr);
	for (unsigned int i = 0; i < DP_DROP_COUNT; i++)
		drops += s.drops[i];
	put_u64(o, "rx_frames", s.rx_frames);
	put_u64(o, "rx_bytes", s.rx_bytes);
	put_u64(o, "tx_frames", s.tx_frames);
	put_u64(o, "tx_bytes", s.tx_bytes);
	put_u64(o, "forwarded", s.forwarded);
	put_u64(o, "dropped", drops);
	put_u64(o, "fragmented", s.fragmented);
	put_u64(o, "fragments", s.fragments);
	put_u64(o, "echo_replies", s.echo_replies);
	put_u64(o, "icmp_errors", s.icmp_errors);
	put_u64(o, "icmp_limited", s.icmp_limited);
	put_u64(o, "icmp_withheld", s.icmp_withheld);
	put_u64(o, "punted_adverts", s.punted_adverts);
	put_u64(o, "punted_arp", s.punted_arp);
	put_u64(o, "punted_probe", s.punted_probe);
	put_u64(o, "punted_resolve", s.punted_resolve);
	put_u64(o, "to_host", s.to_host);
	put_u64(o, "from_host", s.from_host);
	put_u64(o, "handed_over", s.handed_over);
	put_u64(o, "neighbor_entries", nbr.entries);
	put_u64(o, "neighbor_held", nbr.held);
	put_u64(o, "neighbor_requests", nbr.requests);
	put_u64(o, "neighbor_learned", nbr.learned);
	put_u64(o, "neighbor_failed", nbr.failed);
	put_u64(o, "neighbor_hold_dropped", nbr.hold_dropped);
	put_u64(o, "neighbor_held_ever", nbr.held_ever);
	put_u64(o, "neighbor_table_full", nbr.table_full);
	put_u64(o, "neighbor_mac_full", nbr.mac_full);
	put_u64(o, "neighbor_aged", nbr.aged);
	return o;
}
