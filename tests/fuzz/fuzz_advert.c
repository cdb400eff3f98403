/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * ctl_advert_check() on any frame. The first byte of the input says what the receiver is like and
 * whether checksums and digest are put right first, without which no mutation would get past them.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "base_assert.h"
#include "base_bytes.h"
#include "ctl_advert.h"
#include "wire6.h"

#define FRAME_MAX 256

enum {
	OPT_DISALLOW = 1 << 0,
	OPT_NO_GROUPS = 1 << 1,
	OPT_DEAF = 1 << 2, /* no group listens */
	OPT_OWN_ADDRESS = 1 << 3,
	OPT_FIX_IP_SUM = 1 << 4,
	OPT_SIGN = 1 << 5,	   /* by the group of the frame's vhid */
	OPT_FIX_CARP_SUM = 1 << 6, /* over IPv6 with the pseudo-header if the counter is odd */
	OPT_UNICAST = 1 << 7,	   /* every group has a unicast peer */
};

#define N_GROUPS 2
/* The second has a link-local VIP and so two digests. */
static const uint8_t group_vhid[N_GROUPS] = {1, 6};
static const uint32_t own_ip4 = UINT32_C(0xc0a80103);
static const uint8_t own_ip6[1][WIRE_IP6_ADDR_LEN] = {{0xfe, 0x80, [15] = 3}};
static const uint64_t own_counter = UINT64_C(0x1122334455667788);

static uint16_t vhid_group[256];
static struct auth_group *auth[N_GROUPS];
static struct auth_counters own[N_GROUPS];

static void
init(void)
{
	static const struct base_addr vips[N_GROUPS][2] = {
		{{.family = BASE_FAMILY_IP4, .bytes = {192, 168, 1, 1}}},
		{{.family = BASE_FAMILY_IP4, .bytes = {10, 0, 0, 100}},
			{.family = BASE_FAMILY_IP6, .bytes = {0xfe, 0x80, [15] = 1}}},
	};
	uint8_t key[AUTH_KEY_LEN];

	for (unsigned int v = 0; v < 256; v++)
		vhid_group[v] = ELECTION_NONE;
	BASE_ASSERT(auth_key_from_pass("lanpasswd", key) == 0);
	for (uint16_t g = 0; g < N_GROUPS; g++) {
		vhid_group[group_vhid[g]] = g;
		auth[g] = auth_group_create(key, group_vhid[g], vips[g], (uint16_t)(g + 1));
		BASE_ASSERT(auth[g] != NULL);
		own[g].sent[3] = own_counter;
	}
}

/* Where the CARP header starts, or 0 when the frame is too short for one; fixes the IPv4 sum. */
static size_t
carp_offset(uint8_t *frame, size_t len, unsigned int options, bool *ip6)
{
	size_t off = WIRE_ETH_LEN, header_len = WIRE_IP6_LEN;

	if (len >= 14 && base_load_be16(frame + 12) == WIRE_ETHERTYPE_VLAN)
		off += 4;
	if (len < off + WIRE_IP4_LEN)
		return 0;
	*ip6 = frame[off] >> 4 == 6;
	if (!*ip6) {
		header_len = (size_t)(frame[off] & 15) * 4;
		if (header_len < WIRE_IP4_LEN || len < off + header_len)
			return 0;
		if (options & OPT_FIX_IP_SUM) {
			base_store_be16(frame + off + 10, 0);
			base_store_be16(frame + off + 10,
				wire_sum_fold(wire_sum(frame + off, header_len, 0)));
		}
	}
	return len < off + header_len + WIRE_CARP_LEN ? 0 : off + header_len;
}

/* Put right what the options say, as far as the frame has it. */
static void
repair(uint8_t *frame, size_t len, unsigned int options)
{
	bool ip6 = false;
	size_t off = carp_offset(frame, len, options, &ip6);
	uint8_t *carp = frame + off;
	uint32_t sum = 0;
	uint16_t g;

	if (off == 0)
		return;
	g = vhid_group[carp[1]];
	if ((options & OPT_SIGN) && g != ELECTION_NONE)
		BASE_ASSERT(auth_group_sign(auth[g], base_load_be64(carp + 8), carp + 16) == 0);
	if (!(options & OPT_FIX_CARP_SUM))
		return;
	if (ip6 && (carp[15] & 1))
		sum = wire_ip6_pseudo_sum(carp - 32, carp - 16, WIRE_CARP_LEN, WIRE_PROTO_CARP);
	base_store_be16(carp + 6, 0);
	base_store_be16(carp + 6, wire_sum_fold(wire_sum(carp, WIRE_CARP_LEN, sum)));
}

static bool
is_own(const struct ctl_advert_scope *scope, const struct base_addr *src)
{
	if (src->family == BASE_FAMILY_IP4)
		return scope->n_own_ip4 != 0 && base_addr_ip4(src) == own_ip4;
	return scope->n_own_ip6 != 0 && memcmp(src->bytes, own_ip6[0], WIRE_IP6_ADDR_LEN) == 0;
}

/* What must hold for each verdict. */
static void
check_verdict(
	enum ctl_stat verdict, const struct ctl_advert_scope *scope, const struct ctl_advert *a)
{
	bool grouped = a->group != ELECTION_NONE;

	BASE_ASSERT(!grouped || (a->group < N_GROUPS && group_vhid[a->group] == a->vhid));
	switch ((int)verdict) {
	case CTL_STAT_DISALLOWED:
		BASE_ASSERT(!scope->allow && !grouped && a->src.family == BASE_FAMILY_NONE);
		return;
	case CTL_STAT_BADIF:
		BASE_ASSERT(scope->vhid_group == NULL && !grouped);
		return;
	case CTL_STAT_HDROPS:
		BASE_ASSERT(!grouped && a->src.family == BASE_FAMILY_NONE);
		return;
	case CTL_STAT_BADTTL:
	case CTL_STAT_BADLEN:
	case CTL_STAT_BADSUM:
		BASE_ASSERT(!grouped);
		break;
	case CTL_STAT_BADVHID:
		BASE_ASSERT(!grouped || !scope->listening[a->group]);
		break;
	case CTL_STAT_SELF:
		BASE_ASSERT(grouped && is_own(scope, &a->src));
		break;
	case CTL_STAT_BADVER:
	case CTL_STAT_BADAUTH:
		BASE_ASSERT(grouped && scope->listening[a->group]);
		break;
	case CTL_STAT_LOOP:
		BASE_ASSERT(grouped && a->counter == own_counter);
		break;
	case CTL_STAT_IPACKETS:
		BASE_ASSERT(grouped && scope->listening[a->group]);
		BASE_ASSERT(a->counter != own_counter);
		BASE_ASSERT(!is_own(scope, &a->src) && a->sum != WIRE_CARP_SUM_BAD);
		BASE_ASSERT(a->src.family == BASE_FAMILY_IP6 || a->sum == WIRE_CARP_SUM_PLAIN);
		break;
	default:
		BASE_ASSERT(false);
	}
	BASE_ASSERT(scope->allow && scope->vhid_group != NULL);
	BASE_ASSERT(a->src.family == BASE_FAMILY_IP4 || a->src.family == BASE_FAMILY_IP6);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const bool all[N_GROUPS] = {true, true}, none[N_GROUPS];
	static const uint8_t unicast[N_GROUPS] = {ELECTION_IP4 | ELECTION_IP6, ELECTION_IP6};
	static const struct auth_counters *const counters[N_GROUPS] = {&own[0], &own[1]};
	struct ctl_advert_scope scope = {
		.auth = auth,
		.counters = counters,
		.own_ip4 = &own_ip4,
		.own_ip6 = own_ip6,
	};
	struct ctl_advert a, b;
	unsigned int options;
	enum ctl_stat verdict;
	uint8_t *frame;
	size_t len;

	if (auth[0] == NULL)
		init();
	if (size == 0 || size > FRAME_MAX)
		return 0;
	options = data[0];
	len = size - 1;
	/* Exactly its size, so that a sanitizer sees a read past the end. */
	frame = malloc(len ? len : 1);
	BASE_ASSERT(frame != NULL);
	memcpy(frame, data + 1, len);
	repair(frame, len, options);

	scope.allow = !(options & OPT_DISALLOW);
	scope.vhid_group = options & OPT_NO_GROUPS ? NULL : vhid_group;
	scope.listening = options & OPT_DEAF ? none : all;
	scope.unicast = options & OPT_UNICAST ? unicast : NULL;
	scope.n_own_ip4 = options & OPT_OWN_ADDRESS ? 1 : 0;
	scope.n_own_ip6 = scope.n_own_ip4;

	memset(&a, 0xa5, sizeof(a));
	verdict = ctl_advert_check(frame, len, &scope, &a);
	check_verdict(verdict, &scope, &a);

	/* Ethernet padding changes nothing once the frame is a whole packet. */
	if (verdict != CTL_STAT_HDROPS) {
		uint8_t *padded = calloc(1, len + 10);

		BASE_ASSERT(padded != NULL);
		memcpy(padded, frame, len);
		BASE_ASSERT(ctl_advert_check(padded, len + 10, &scope, &b) == verdict);
		BASE_ASSERT(a.group == b.group && a.vhid == b.vhid && a.counter == b.counter &&
			a.bow_out == b.bow_out && a.sum == b.sum &&
			memcmp(&a.src, &b.src, sizeof(a.src)) == 0 &&
			memcmp(&a.prio, &b.prio, sizeof(a.prio)) == 0);
		free(padded);
	}
	free(frame);
	return 0;
}
