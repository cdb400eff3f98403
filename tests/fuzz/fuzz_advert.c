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
#include "wire.h"

#define FRAME_MAX 256

enum {
	OPT_DISALLOW = 1 << 0,
	OPT_NO_GROUPS = 1 << 1,
	OPT_DEAF = 1 << 2, /* no group listens */
	OPT_OWN_ADDRESS = 1 << 3,
	OPT_FIX_IP_SUM = 1 << 4,
	OPT_SIGN = 1 << 5, /* by the group of the frame's vhid */
	OPT_FIX_CARP_SUM = 1 << 6,
};

#define N_GROUPS 2
/* The second has a link-local VIP and so two digests. */
static const uint8_t group_vhid[N_GROUPS] = {1, 6};
static const uint32_t own_ip4 = UINT32_C(0xc0a80103);
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

/* Put right what the options say, as far as the frame has it. */
static void
repair(uint8_t *frame, size_t len, unsigned int options)
{
	size_t off = WIRE_ETH_LEN, header_len;
	uint8_t *carp;
	uint16_t g;

	if (len >= 14 && base_load_be16(frame + 12) == WIRE_ETHERTYPE_VLAN)
		off += 4;
	if (len < off + WIRE_IP4_LEN)
		return;
	header_len = (size_t)(frame[off] & 15) * 4;
	if (header_len < WIRE_IP4_LEN || len < off + header_len)
		return;
	if (options & OPT_FIX_IP_SUM) {
		base_store_be16(frame + off + 10, 0);
		base_store_be16(
			frame + off + 10, wire_sum_fold(wire_sum(frame + off, header_len, 0)));
	}
	if (len < off + header_len + WIRE_CARP_LEN)
		return;
	carp = frame + off + header_len;
	g = vhid_group[carp[1]];
	if ((options & OPT_SIGN) && g != ELECTION_NONE)
		BASE_ASSERT(auth_group_sign(auth[g], base_load_be64(carp + 8), carp + 16) == 0);
	if (options & OPT_FIX_CARP_SUM) {
		base_store_be16(carp + 6, 0);
		base_store_be16(carp + 6, wire_sum_fold(wire_sum(carp, WIRE_CARP_LEN, 0)));
	}
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
		BASE_ASSERT(grouped && scope->n_own_ip4 && base_addr_ip4(&a->src) == own_ip4);
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
		BASE_ASSERT(scope->n_own_ip4 == 0 || base_addr_ip4(&a->src) != own_ip4);
		break;
	default:
		BASE_ASSERT(false);
	}
	BASE_ASSERT(scope->allow && scope->vhid_group != NULL);
	BASE_ASSERT(a->src.family == BASE_FAMILY_IP4);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const bool all[N_GROUPS] = {true, true}, none[N_GROUPS];
	static const struct auth_counters *const counters[N_GROUPS] = {&own[0], &own[1]};
	struct ctl_advert_scope scope = {.auth = auth, .counters = counters, .own_ip4 = &own_ip4};
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
	scope.n_own_ip4 = options & OPT_OWN_ADDRESS ? 1 : 0;

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
			a.bow_out == b.bow_out && memcmp(&a.src, &b.src, sizeof(a.src)) == 0 &&
			memcmp(&a.prio, &b.prio, sizeof(a.prio)) == 0);
		free(padded);
	}
	free(frame);
	return 0;
}
