/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Numbers and masks in words, the same in events, views and explanations, and back. */
#include "mgmt_view_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "election.h"

/* Words for people; telemetry and the ledger have the short names of the election. */
static const char *const demotion_words[ELECTION_DEMOTION_SOURCE_COUNT] = {
	[ELECTION_DEMOTION_LINK] = "interface down",
	[ELECTION_DEMOTION_SEND_ERROR] = "adverts not sent",
	[ELECTION_DEMOTION_WORKER_STALLED] = "worker stalled",
	[ELECTION_DEMOTION_OPERATOR] = "operator",
	[ELECTION_DEMOTION_DRAIN] = "drained",
};

const char *
mgmt_demotion_words(enum election_demotion_source s)
{
	return s < ELECTION_DEMOTION_SOURCE_COUNT ? demotion_words[s] : "?";
}

/* n of so many in a unit: "12", "12.5", "12.034"; no zeros at the end */
static void
print_decimal(char *buf, size_t len, uint64_t n, uint64_t per, const char *unit)
{
	int digits = per == 1000 ? 3 : 1;
	uint64_t rest = n % per;

	while (digits > 0 && rest % 10 == 0) {
		rest /= 10;
		digits--;
	}
	if (digits == 0)
		snprintf(buf, len, "%llu %s", (unsigned long long)(n / per), unit);
	else
		snprintf(buf, len, "%llu.%0*llu %s", (unsigned long long)(n / per), digits,
			(unsigned long long)rest, unit);
}

const char *
mgmt_span_str(base_ns_t ns, char buf[MGMT_SPAN_STR])
{
	const uint64_t us = (ns + BASE_NS_PER_US / 2) / BASE_NS_PER_US;
	const uint64_t tenth_ms = (us + 50) / 100, all_ms = (us + 500) / 1000;
	const unsigned long long s = (all_ms + 500) / 1000;

	if (us == 0)
		snprintf(buf, MGMT_SPAN_STR, "0 s");
	else if (us < 1000)
		snprintf(buf, MGMT_SPAN_STR, "%u us", (unsigned int)us);
	else if (tenth_ms < 10000)
		print_decimal(buf, MGMT_SPAN_STR, tenth_ms, 10, "ms");
	else if (all_ms < 100000)
		print_decimal(buf, MGMT_SPAN_STR, all_ms, 1000, "s");
	else if (s < 3600)
		snprintf(buf, MGMT_SPAN_STR, "%llu s", s);
	else
		snprintf(buf, MGMT_SPAN_STR, "%llu h %llu min", s / 3600, s % 3600 / 60);
	return buf;
}

const char *
mgmt_priority_str(const struct election_priority *p, char buf[MGMT_PRIORITY_STR])
{
	if (p->advbase == 255 && p->advskew == 255)
		snprintf(buf, MGMT_PRIORITY_STR, "bow-out (255/255)");
	else
		snprintf(buf, MGMT_PRIORITY_STR, "%u.000 s + %u/256 demotion %u", p->advbase,
			p->advskew, p->demotion);
	return buf;
}

const char *
mgmt_split_str(uint8_t reasons, char buf[MGMT_SPLIT_STR])
{
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < ELECTION_SPLIT_COUNT; i++)
		if (reasons & (1u << i) && used < MGMT_SPLIT_STR)
			used += (size_t)snprintf(buf + used, MGMT_SPLIT_STR - used, "%s%s",
				used ? "; " : "", election_split_text(1u << i));
	return buf;
}

const char *
mgmt_warn_str(enum election_warn w, const struct election_priority *peer,
	const struct base_addr *src, char buf[MGMT_WARN_STR])
{
	char addr[CONF_ADDR_STR], every[MGMT_SPAN_STR];

	buf[0] = '\0';
	if (w != ELECTION_WARN_NONE)
		snprintf(buf, MGMT_WARN_STR, "%s advertises every %s: %s", conf_addr_str(src, addr),
			mgmt_span_str(
				election_interval(peer->advbase, peer->advskew, peer->advskew),
				every),
			election_warn_text(w));
	return buf;
}

const char *
mgmt_family_name(unsigned int family)
{
	return family == BASE_FAMILY_IP6 ? "IPv6" : "IPv4";
}

bool
mgmt_prefix_parse(const char *p, size_t len, struct mgmt_args *a)
{
	char text[CONF_ADDR_STR], *slash;
	struct base_addr *addr = &a->prefix.addr;
	unsigned long plen, bits;

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, p, len);
	text[len] = '\0';
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	if (!mgmt_addr_parse(text, strlen(text), addr))
		return false;
	bits = plen = addr->family == BASE_FAMILY_IP4 ? 32 : 128;
	if (slash != NULL) {
		if (strspn(slash + 1, "0123456789") != strlen(slash + 1) || slash[1] == '\0')
			return false;
		plen = strtoul(slash + 1, NULL, 10);
	}
	if (plen > bits)
		return false;
	a->prefix.plen = (uint8_t)plen;
	a->is_address = slash == NULL;
	a->has_prefix = true;
	return true;
}
