/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The neighbour table as the fakes have it: it knows nobody or everybody, and asks at once. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "ctl_fake.h"

void
fib_nbr_resolve(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	struct rte_mbuf *m, base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	const struct fib_nbr_action ask = {
		.type = FIB_NBR_ACT_REQUEST, .if_index = if_index, .addr = *addr};

	(void)t;
	(void)now;
	rte_pktmbuf_free(m);
	act(arg, &ask);
}

static void
tell(const struct base_addr *addr, const uint8_t *mac, struct fake_told how)
{
	struct fake_told *told = &fake.told[fake.n_told++];

	assert_true(fake.n_told <= FAKE_LEARNT);
	*told = how;
	told->addr = *addr;
	told->has_mac = mac != NULL;
	if (mac != NULL)
		memcpy(told->mac, mac, BASE_MAC_LEN);
}

void
fib_nbr_asker(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	const uint8_t mac[BASE_MAC_LEN], base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	(void)t;
	(void)if_index;
	(void)now;
	(void)act;
	(void)arg;
	tell(addr, mac, (struct fake_told){.asker = true});
}

void
fib_nbr_advertised(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	const uint8_t *mac, bool solicited, bool override, base_ns_t now, fib_nbr_act_fn act,
	void *arg)
{
	(void)t;
	(void)if_index;
	(void)now;
	(void)act;
	(void)arg;
	tell(addr, mac, (struct fake_told){.solicited = solicited, .override = override});
}

int
fib_nbr_set(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	const uint8_t mac[BASE_MAC_LEN], base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	(void)t;
	(void)now;
	(void)act;
	(void)arg;
	fake.nbr_set.if_index = if_index;
	fake.nbr_set.addr = *addr;
	memcpy(fake.nbr_set.mac, mac, BASE_MAC_LEN);
	fake.n_nbr_set++;
	return fake.nbr_room != 0 && fake.n_nbr_set > fake.nbr_room ? -ENOSPC : fake.nbr_result;
}

int
fib_nbr_forget(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	(void)t;
	(void)now;
	(void)act;
	(void)arg;
	fake.nbr_set.if_index = if_index;
	fake.nbr_set.addr = *addr;
	fake.n_nbr_forgotten++;
	return fake.nbr_result;
}

bool
fib_nbr_is_static(const struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr)
{
	(void)t;
	(void)if_index;
	(void)addr;
	return fake.nbr_static;
}

enum fib_nbr_state
fib_nbr_state_of(const struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr)
{
	(void)t;
	(void)if_index;
	(void)addr;
	return fake.nbr_state;
}

bool
fib_nbr_clear(struct fib_nbr_table *t, uint16_t if_index, uint32_t *cursor)
{
	(void)t;
	fake.nbr_cleared_if = if_index;
	fake.n_nbr_clears++;
	return ++*cursor < 3;
}

void
fib_nbr_warm(struct fib_nbr_table *t, uint16_t if_index, bool warm)
{
	(void)t;
	fake.warm[if_index] = warm;
}

bool
fib_nbr_lookup6(const struct fib_nbr_table *t, uint16_t if_index, const uint8_t ip[16],
	uint8_t mac[BASE_MAC_LEN])
{
	(void)ip;
	return fib_nbr_lookup(t, if_index, 0, mac);
}

void
fib_nbr_tick(struct fib_nbr_table *t, base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	(void)t;
	(void)now;
	(void)act;
	(void)arg;
}

base_ns_t
fib_nbr_deadline(const struct fib_nbr_table *t)
{
	(void)t;
	return BASE_NS_NEVER;
}

bool
fib_nbr_lookup(
	const struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, uint8_t mac[BASE_MAC_LEN])
{
	(void)t;
	(void)if_index;
	(void)ip;
	memcpy(mac, rig_asker_mac, BASE_MAC_LEN);
	return fake.nbr_known;
}
