/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Lines of ping and traceroute, for people and for programs. */
#include "mgmt_ping_priv.h"

#include <stdio.h>
#include <string.h>

#include "wire6.h"

#include "mgmt_json_priv.h"

#define REASON_MAX 160

static double
ms(base_ns_t t)
{
	return (double)t / (double)BASE_NS_PER_MS;
}

/* Of an ICMP error; also the mark that traceroute puts behind it. */
static const char *
error4(const struct ctl_ping_line *l, const char **mark)
{
	*mark = "";
	if (l->type == WIRE_ICMP_TIME_EXCEEDED)
		return "time to live exceeded";
	if (l->type == WIRE_ICMP_PARAMETER)
		return "parameter problem";
	switch (l->code) {
	case WIRE_ICMP_UNREACH_NET:
		*mark = " !N";
		return "destination net unreachable";
	case WIRE_ICMP_UNREACH_HOST:
		*mark = " !H";
		return "destination host unreachable";
	case WIRE_ICMP_UNREACH_FRAG:
		*mark = " !F";
		return "fragmentation needed";
	case WIRE_ICMP_UNREACH_ADMIN:
		*mark = " !X";
		return "administratively prohibited";
	default:
		*mark = " !";
		return "destination unreachable";
	}
}

static const char *
error6(const struct ctl_ping_line *l, const char **mark)
{
	*mark = "";
	if (l->type == WIRE_ICMP6_TIME_EXCEEDED)
		return "hop limit exceeded";
	if (l->type == WIRE_ICMP6_PARAMETER)
		return "parameter problem";
	if (l->type == WIRE_ICMP6_TOO_BIG) {
		*mark = " !F";
		return "packet too big";
	}
	switch (l->code) {
	case WIRE_ICMP6_UNREACH_ROUTE:
		*mark = " !N";
		return "no route to the destination";
	case WIRE_ICMP6_UNREACH_ADDRESS:
		*mark = " !H";
		return "address unreachable";
	case WIRE_ICMP6_UNREACH_ADMIN:
		*mark = " !X";
		return "administratively prohibited";
	default:
		*mark = " !";
		return "destination unreachable";
	}
}

static const char *
error_text(const struct ctl_ping_line *l, const char **mark)
{
	return l->from.family == BASE_FAMILY_IP4 ? error4(l, mark) : error6(l, mark);
}

static void
unsent_text(const struct mgmt_config *c, const struct ctl_ping_line *l, char *buf, size_t len)
{
	char hop[CONF_ADDR_STR];

	switch (l->why) {
	case CTL_PING_NO_ROUTE:
		snprintf(buf, len, "there is no route any more");
		break;
	case CTL_PING_EDGE:
		snprintf(buf, len, "it is an address at the end of a subnet now");
		break;
	case CTL_PING_ROUTE_SAYS:
		snprintf(buf, len, "the route is a blackhole, unreachable or prohibit now");
		break;
	case CTL_PING_NO_LINK:
		snprintf(buf, len, "%s is down", mgmt_if_name(c, l->if_index));
		break;
	case CTL_PING_TOO_LONG:
		snprintf(buf, len, "too long for the MTU of %s, which is the way now",
			mgmt_if_name(c, l->if_index));
		break;
	case CTL_PING_NO_NEIGHBOR:
		snprintf(buf, len, "next hop %s on %s does not answer %s",
			mgmt_addr_str(&l->next_hop, hop), mgmt_if_name(c, l->if_index),
			l->next_hop.family == BASE_FAMILY_IP4 ? "ARP" : "neighbour solicitations");
		break;
	case CTL_PING_NO_SOURCE:
		snprintf(buf, len, "the source is not an address of this box now");
		break;
	case CTL_PING_NO_BUFFER:
		snprintf(buf, len, "no buffer, or no room to send");
		break;
	}
}

void
mgmt_ping_line_text(const struct mgmt_config *c, const struct mgmt_ping *p,
	const struct ctl_ping_line *line, char *buf, size_t len)
{
	char from[CONF_ADDR_STR], reason[REASON_MAX], mtu[32] = "";
	const char *mark;

	mgmt_addr_str(&line->from, from);
	switch (line->what) {
	case CTL_PING_REPLY:
	case CTL_PING_DUPLICATE:
		snprintf(buf, len, "%u bytes from %s: seq=%u ttl=%u time=%.3f ms%s\n", line->bytes,
			from, line->seq, line->ttl, ms(line->rtt),
			line->here				   ? " (this box)"
				: line->what == CTL_PING_DUPLICATE ? " (duplicate)"
								   : "");
		break;
	case CTL_PING_ERROR:
		if (line->mtu != 0)
			snprintf(mtu, sizeof(mtu), ", MTU %u", line->mtu);
		snprintf(buf, len, "from %s: seq=%u %s%s\n", from, line->seq,
			error_text(line, &mark), mtu);
		break;
	case CTL_PING_LOST:
		snprintf(buf, len, "seq=%u: no answer within %.0f s\n", line->seq,
			ms(p->ask.plan.timeout_ns) / 1000);
		break;
	case CTL_PING_UNSENT:
		unsent_text(c, line, reason, sizeof(reason));
		snprintf(buf, len, "seq=%u: %s\n", line->seq, reason);
		break;
	}
}

json_t *
mgmt_ping_line_json(const struct mgmt_config *c, const struct ctl_ping_line *line)
{
	static const char *const kinds[] = {
		[CTL_PING_REPLY] = "reply",
		[CTL_PING_DUPLICATE] = "duplicate",
		[CTL_PING_ERROR] = "error",
		[CTL_PING_LOST] = "lost",
		[CTL_PING_UNSENT] = "unsent",
	};
	char text[REASON_MAX];
	const char *mark;
	json_t *o = json_object();

	put_str(o, "kind", kinds[line->what]);
	put_u64(o, "seq", line->seq);
	put_u64(o, "hops", line->hops);
	if (line->what <= CTL_PING_ERROR) {
		put_str(o, "from", mgmt_addr_str(&line->from, text));
		put_u64(o, "bytes", line->bytes);
		put_u64(o, "ttl", line->ttl);
		json_object_set_new(o, "ms", json_real(ms(line->rtt)));
	}
	if (line->what == CTL_PING_REPLY)
		put_bool(o, "this_box", line->here);
	if (line->what == CTL_PING_ERROR) {
		put_str(o, "text", error_text(line, &mark));
		put_u64(o, "type", line->type);
		put_u64(o, "code", line->code);
		put_u64(o, "mtu", line->mtu);
	}
	if (line->what == CTL_PING_UNSENT) {
		unsent_text(c, line, text, sizeof(text));
		put_str(o, "text", text);
	}
	return o;
}

void
mgmt_trace_probe_text(const struct mgmt_config *c, const struct ctl_ping_line *line,
	const struct base_addr *before, char *buf, size_t len)
{
	char from[CONF_ADDR_STR], reason[REASON_MAX];
	const char *mark = "";

	if (line->what == CTL_PING_LOST) {
		snprintf(buf, len, "  *");
		return;
	}
	if (line->what == CTL_PING_UNSENT) {
		unsent_text(c, line, reason, sizeof(reason));
		snprintf(buf, len, "  (%s)", reason);
		return;
	}
	if (line->what == CTL_PING_ERROR)
		(void)error_text(line, &mark);
	if (memcmp(&line->from, before, sizeof(*before)) == 0)
		snprintf(buf, len, "  %.3f ms%s", ms(line->rtt), mark);
	else
		snprintf(buf, len, "  %s  %.3f ms%s", mgmt_addr_str(&line->from, from),
			ms(line->rtt), mark);
}

static unsigned int
loss_percent(const struct ctl_probe_sum *sum)
{
	return sum->sent == 0 ? 0 : (sum->sent - sum->received) * 100 / sum->sent;
}

static base_ns_t
average(const struct ctl_probe_sum *sum)
{
	return sum->received == 0 ? 0 : sum->total / sum->received;
}

void
mgmt_ping_sum_text(const struct ctl_probe_sum *sum, uint32_t missed, char *buf, size_t len)
{
	char errors[48] = "", duplicates[48] = "", lost[64] = "", times[96] = "";

	if (sum->errors != 0)
		snprintf(errors, sizeof(errors), ", %u errors", sum->errors);
	if (sum->duplicates != 0)
		snprintf(duplicates, sizeof(duplicates), ", %u duplicates", sum->duplicates);
	if (missed != 0)
		snprintf(lost, sizeof(lost), ", %u lines not shown", missed);
	if (sum->received != 0)
		snprintf(times, sizeof(times), "; min/avg/max %.3f/%.3f/%.3f ms", ms(sum->min),
			ms(average(sum)), ms(sum->max));
	snprintf(buf, len, "%u packets transmitted, %u received%s%s, %u%% loss%s%s\n", sum->sent,
		sum->received, errors, duplicates, loss_percent(sum), lost, times);
}

json_t *
mgmt_ping_sum_json(const struct ctl_probe_sum *sum, uint32_t missed)
{
	json_t *o = json_object();

	put_str(o, "kind", "summary");
	put_u64(o, "sent", sum->sent);
	put_u64(o, "received", sum->received);
	put_u64(o, "errors", sum->errors);
	put_u64(o, "duplicates", sum->duplicates);
	put_u64(o, "loss_percent", loss_percent(sum));
	put_u64(o, "lines_not_shown", missed);
	json_object_set_new(o, "min_ms", json_real(ms(sum->min)));
	json_object_set_new(o, "avg_ms", json_real(ms(average(sum))));
	json_object_set_new(o, "max_ms", json_real(ms(sum->max)));
	return o;
}
