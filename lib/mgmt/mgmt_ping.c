/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Ping and traceroute: what is asked of the control lcore, and shown while it goes on. */
#include "mgmt_ping_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "dp.h"
#include "wire6.h"

#include "mgmt_cli_priv.h"
#include "mgmt_json_priv.h"
#include "mgmt_priv.h"

/* Options in the order of the grammar. */
enum { PING_COUNT, PING_SIZE, PING_INTERVAL, PING_SOURCE, PING_IF };
enum { TRACE_HOPS, TRACE_PROBES };

#define PING_COUNT_DEFAULT    5
#define PING_SIZE_DEFAULT     56
#define PING_INTERVAL_DEFAULT 1000 /* ms */
#define TRACE_HOPS_DEFAULT    30
#define TRACE_PROBES_DEFAULT  3
#define TRACE_PROBES_MAX      10
#define TRACE_SIZE	      32
#define TRACE_INTERVAL_NS     (50 * BASE_NS_PER_MS)
#define TIMEOUT_NS	      (2 * BASE_NS_PER_S)

#define LOOK_MS	     20
#define STOP_WAIT_NS (2 * BASE_NS_PER_S)
#define BATCH	     16
#define LINE_MAX_LEN 320

static int64_t
option_or(const struct mgmt_option *o, int64_t without)
{
	return o->given ? o->value : without;
}

static bool
is_host(const struct base_addr *a)
{
	uint32_t ip = base_addr_ip4(a);

	if (a->family == BASE_FAMILY_IP6)
		return !wire_ip6_is_multicast(a->bytes) && !wire_ip6_is_unspecified(a->bytes);
	return ip >> 24 != 0 && ip >> 24 != 127 && ip >> 28 < 0xe;
}

static struct ctl_ping_ask
ask_ping(const struct mgmt_args *a)
{
	const struct mgmt_option *o = a->option;

	return (struct ctl_ping_ask){
		.dst = a->addr,
		.src = o[PING_SOURCE].addr,
		.if_index = o[PING_IF].given ? o[PING_IF].if_index : ELECTION_NONE,
		.payload = (uint16_t)option_or(&o[PING_SIZE], PING_SIZE_DEFAULT),
		.plan =
			{
				.count = (uint16_t)option_or(&o[PING_COUNT], PING_COUNT_DEFAULT),
				.interval_ns = (base_ns_t)option_or(
						       &o[PING_INTERVAL], PING_INTERVAL_DEFAULT) *
					BASE_NS_PER_MS,
				.timeout_ns = TIMEOUT_NS,
			},
	};
}

static struct ctl_ping_ask
ask_trace(const struct mgmt_args *a)
{
	const struct mgmt_option *o = a->option;

	return (struct ctl_ping_ask){
		.dst = a->addr,
		.if_index = ELECTION_NONE,
		.payload = TRACE_SIZE,
		.plan =
			{
				.trace = true,
				.max_hops = (uint8_t)option_or(&o[TRACE_HOPS], TRACE_HOPS_DEFAULT),
				.per_hop =
					(uint8_t)option_or(&o[TRACE_PROBES], TRACE_PROBES_DEFAULT),
				.interval_ns = TRACE_INTERVAL_NS,
				.timeout_ns = TIMEOUT_NS,
			},
	};
}

/* @return false with the reason in words */
static bool
ask_check(const struct ctl_ping_ask *ask, char *note, size_t len)
{
	char dst[CONF_ADDR_STR];

	mgmt_addr_str(&ask->dst, dst);
	if (!is_host(&ask->dst))
		snprintf(note, len, "%s is not the address of a host", dst);
	else if (conf_addr_link_local(&ask->dst) && ask->plan.trace)
		snprintf(note, len, "%s is link-local: no router is on the way", dst);
	else if (conf_addr_link_local(&ask->dst) && ask->if_index == ELECTION_NONE)
		snprintf(note, len, "%s is link-local: say on which link, by \"interface\"", dst);
	else if (!conf_addr_link_local(&ask->dst) && ask->if_index != ELECTION_NONE)
		snprintf(note, len,
			"\"interface\" is for link-local addresses; the way to %s is that of its "
			"route",
			dst);
	else if (ask->src.family != BASE_FAMILY_NONE && ask->src.family != ask->dst.family)
		snprintf(note, len, "the source is not of the same family as %s", dst);
	else
		return true;
	return false;
}

void
mgmt_ping_begin(struct mgmt_session *s, const struct mgmt_args *a, bool trace)
{
	struct mgmt_ping p = {.ask = trace ? ask_trace(a) : ask_ping(a)};
	char note[256] = "";

	if (!s->may_watch) {
		snprintf(note, sizeof(note), "only on the CLI's socket: koictl %s",
			trace ? "traceroute" : "ping");
	} else if (ask_check(&p.ask, note, sizeof(note))) {
		p.run = ctl_ping_open(s->config->ctl, &p.ask, &p.src, note, sizeof(note));
		p.on = p.run >= 0;
	}
	if (p.on) {
		s->ping = p;
		return;
	}
	s->status = MGMT_CLI_REFUSED;
	fprintf(s->out, "refused: %s\n", note);
}

/* What a run is shown with. */
struct show {
	struct mgmt_session *s;
	const struct mgmt_ping *p;
	const struct mgmt_ping_sink *sink;
	/* of the hop of a traceroute that is not shown yet */
	struct ctl_ping_line probe[TRACE_PROBES_MAX];
	unsigned int n_probes;
	uint8_t shown; /* largest TTL of hops that are */
};

static bool
show_begin(const struct show *w)
{
	const struct ctl_ping_ask *ask = &w->p->ask;
	char dst[CONF_ADDR_STR], src[CONF_ADDR_STR], text[LINE_MAX_LEN];
	json_t *o;

	mgmt_addr_str(&ask->dst, dst);
	mgmt_addr_str(&w->p->src, src);
	if (w->sink->json) {
		o = json_object();
		put_str(o, "kind", "begin");
		put_str(o, "address", dst);
		put_str(o, "source", src);
		put_u64(o, "size", ask->payload);
		return w->sink->object(w->sink->arg, o);
	}
	if (ask->plan.trace)
		snprintf(text, sizeof(text), "traceroute to %s from %s, %u hops at most\n", dst,
			src, ask->plan.max_hops);
	else
		snprintf(text, sizeof(text), "ping %s from %s: %u bytes of data\n", dst, src,
			ask->payload);
	return w->sink->text(w->sink->arg, text);
}

/* A hop of which every probe has come to something. */
static bool
show_hop(struct show *w)
{
	struct base_addr before = {0};
	char text[LINE_MAX_LEN * 4];
	size_t used;

	mgmt_file_read(w->s->config); /* for names */
	used = (size_t)snprintf(text, sizeof(text), "%2u", w->probe[0].hops);
	for (unsigned int i = 0; i < w->n_probes && used < sizeof(text) - LINE_MAX_LEN; i++) {
		mgmt_trace_probe_text(
			w->s->config, &w->probe[i], &before, text + used, sizeof(text) - used);
		used += strlen(text + used);
		if (w->probe[i].what <= CTL_PING_ERROR)
			before = w->probe[i].from;
	}
	mgmt_file_read_end(w->s->config);
	snprintf(text + used, sizeof(text) - used, "\n");
	w->shown = w->probe[0].hops;
	w->n_probes = 0;
	return w->sink->text(w->sink->arg, text);
}

/* Of a traceroute a probe counts once: a late answer comes after its hop was shown. */
static bool
show_probe(struct show *w, const struct ctl_ping_line *line)
{
	const unsigned int hop = w->n_probes > 0 ? w->probe[0].hops : w->shown + 1u;

	if (line->what == CTL_PING_DUPLICATE || line->hops < hop)
		return true;
	/* of the one before lines were missed */
	if (line->hops > hop && w->n_probes > 0 && !show_hop(w))
		return false;
	for (unsigned int i = 0; i < w->n_probes; i++)
		if (w->probe[i].seq == line->seq)
			return true;
	w->probe[w->n_probes++] = *line;
	return w->n_probes < w->p->ask.plan.per_hop || show_hop(w);
}

static bool
show_line(struct show *w, const struct ctl_ping_line *line)
{
	char text[LINE_MAX_LEN];
	json_t *o = NULL;
	bool ok = true;

	mgmt_file_read(w->s->config); /* for names */
	if (w->sink->json)
		o = mgmt_ping_line_json(w->s->config, line);
	else if (!w->p->ask.plan.trace)
		mgmt_ping_line_text(w->s->config, w->p, line, text, sizeof(text));
	mgmt_file_read_end(w->s->config);
	if (o != NULL)
		ok = w->sink->object(w->sink->arg, o);
	else if (w->p->ask.plan.trace)
		ok = show_probe(w, line);
	else
		ok = w->sink->text(w->sink->arg, text);
	return ok;
}

/* Show lines until the run is over. @return false: the client is gone, or the run never ends */
static bool
follow(struct show *w, int fd, struct ctl_probe_sum *sum, uint32_t *missed)
{
	struct ctl *ctl = w->s->config->ctl;
	struct ctl_ping_line lines[BATCH];
	base_ns_t stopped = 0;

	for (;;) {
		bool ended = ctl_ping_ended(ctl, w->p->run, sum, missed);
		uint32_t n = ctl_ping_read(ctl, w->p->run, lines, BATCH);

		for (uint32_t i = 0; i < n; i++)
			if (!show_line(w, &lines[i]))
				return false;
		if (ended && n == 0)
			return true;
		if (stopped != 0 && dp_clock() - stopped > STOP_WAIT_NS)
			return false;
		if (stopped != 0) {
			(void)poll(NULL, 0, 1);
		} else if (mgmt_client_spoke(fd, LOOK_MS)) {
			ctl_ping_stop(ctl, w->p->run);
			stopped = dp_clock();
		}
	}
}

static void
show_end(struct show *w, const struct ctl_probe_sum *sum, uint32_t missed)
{
	struct mgmt_session *s = w->s;
	char text[LINE_MAX_LEN] = "";

	s->status = sum->received > 0 ? MGMT_CLI_DONE : MGMT_CLI_REFUSED;
	if (w->sink->json) {
		s->view = mgmt_ping_sum_json(sum, missed);
		return;
	}
	if (!w->p->ask.plan.trace)
		mgmt_ping_sum_text(sum, missed, text, sizeof(text));
	else if (sum->received == 0)
		snprintf(text, sizeof(text), "the host was not reached\n");
	s->text = strdup(text);
	s->text_len = s->text != NULL ? strlen(s->text) : 0;
}

bool
mgmt_ping_run(struct mgmt_session *s, int fd, const struct mgmt_ping_sink *sink)
{
	const struct mgmt_ping p = s->ping;
	struct show w = {.s = s, .p = &p, .sink = sink};
	struct ctl_probe_sum sum;
	uint32_t missed = 0;
	bool there;

	mgmt_cli_clear(s);
	s->ping.on = false;
	there = show_begin(&w) && follow(&w, fd, &sum, &missed);
	if (there && !sink->json && w.n_probes > 0)
		there = show_hop(&w);
	if (there)
		show_end(&w, &sum, missed);
	ctl_ping_close(s->config->ctl, p.run);
	return there;
}
