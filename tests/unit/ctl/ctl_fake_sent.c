/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What the control plane has sent. */
#include "ctl_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct fake_frame *
sent(uint32_t n, uint16_t type)
{
	for (uint32_t i = 0; i < fake.n_frames && i < FAKE_FRAMES; i++) {
		const struct fake_frame *f = &fake.frame[i];

		/* IPv4 means adverts: reports of membership are left out */
		if (f->bytes[12] == type >> 8 && f->bytes[13] == (type & 0xff) &&
			(type != WIRE_ETHERTYPE_IP4 || f->bytes[23] == WIRE_PROTO_CARP) && n-- == 0)
			return f;
	}
	return NULL;
}

static uint32_t
sent_count(uint16_t type)
{
	uint32_t n = 0;

	while (sent(n, type) != NULL)
		n++;
	return n;
}

const struct fake_frame *
sent_advert(uint32_t n, struct wire_carp *out)
{
	const struct fake_frame *f = sent(n, WIRE_ETHERTYPE_IP4);

	if (f != NULL)
		assert_true(wire_carp_decode(
			f->bytes + WIRE_ETH_LEN + WIRE_IP4_LEN, WIRE_CARP_LEN, out));
	return f;
}

uint32_t
sent_adverts(void)
{
	return sent_count(WIRE_ETHERTYPE_IP4);
}

const struct fake_frame *
sent_arp(uint32_t n, struct wire_arp *out)
{
	const struct fake_frame *f = sent(n, WIRE_ETHERTYPE_ARP);

	if (f != NULL)
		assert_true(wire_arp_decode(f->bytes + WIRE_ETH_LEN, WIRE_ARP_LEN, out));
	return f;
}

uint32_t
sent_arps(void)
{
	return sent_count(WIRE_ETHERTYPE_ARP);
}

const struct fake_frame *
sent_ip6(uint32_t n)
{
	return sent(n, WIRE_ETHERTYPE_IP6);
}

uint32_t
sent_ip6s(void)
{
	return sent_count(WIRE_ETHERTYPE_IP6);
}

const struct fake_frame *
sent_ra(uint32_t n, struct wire_ra *ra, struct wire_ip6 *ip)
{
	for (uint32_t i = 0; i < sent_ip6s(); i++) {
		const struct fake_frame *f = sent_ip6(i);

		if (wire_ip6_decode(f->bytes + WIRE_ETH_LEN, f->len - (size_t)WIRE_ETH_LEN, ip) ==
				WIRE_IP6_OK &&
			wire_ra_decode(ip, f->bytes + WIRE_ETH_LEN + WIRE_IP6_LEN, ra) ==
				WIRE_RA_OK &&
			n-- == 0)
			return f;
	}
	return NULL;
}

struct wire_nd
rig_nd(const struct fake_frame *f, struct wire_ip6 *ip)
{
	struct wire_nd nd = {0};

	assert_non_null(f);
	assert_int_equal(
		wire_ip6_decode(f->bytes + WIRE_ETH_LEN, f->len - (size_t)WIRE_ETH_LEN, ip),
		WIRE_IP6_OK);
	assert_int_equal(
		wire_nd_decode(ip, f->bytes + WIRE_ETH_LEN + WIRE_IP6_LEN, &nd), WIRE_ND_OK);
	return nd;
}

bool
rig_signed(const struct wire_carp *carp, const char *pass, uint32_t vip)
{
	struct base_addr addr = base_addr_from_ip4(vip);
	uint8_t key[AUTH_KEY_LEN];

	assert_int_equal(auth_key_from_pass(pass, key), 0);
	struct auth_group *g = auth_group_create(key, 1, &addr, 1);

	assert_non_null(g);
	bool ok = auth_group_verify(g, carp->counter, carp->digest);

	auth_group_destroy(g);
	return ok;
}

const char *
rig_next_adverts(struct rig *r, const char *new_pass, uint32_t new_vip, char buf[8])
{
	struct wire_carp carp;
	uint32_t n = 0;

	fake.n_frames = 0;
	rig_run(r, fake.now + BASE_NS_PER_S);
	for (; n < 7 && sent_advert(n, &carp) != NULL; n++)
		buf[n] = rig_signed(&carp, "lanpasswd", RIG_VIP) ? 'o'
			: rig_signed(&carp, new_pass, new_vip)	 ? 'n'
								 : '?';
	buf[n] = '\0';
	return buf;
}
