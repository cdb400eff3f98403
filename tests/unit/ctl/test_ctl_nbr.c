/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Neighbours as operators want them: what reaches the table, and what is refused. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_fake.h"

static const uint8_t mac[BASE_MAC_LEN] = {2, 0, 0, 0, 0, 9};

static int
ask(struct rig *r, enum ctl_request_type type, uint16_t if_index, uint32_t ip, const uint8_t *m,
	char *note)
{
	struct ctl_request req = {.type = type, .group = ELECTION_NONE, .if_index = if_index};

	if (ip != 0)
		req.addr = base_addr_from_ip4(ip);
	if (m != NULL)
		memcpy(req.mac, m, sizeof(req.mac));
	return rig_request(r, &req, note, 160);
}

static void
set_and_forget(void **state)
{
	static const struct {
		uint16_t if_index;
		uint32_t ip;
		const uint8_t *mac;
		const char *note;
	} refused[] = {
		{7, RIG_ASKER, mac, "there is no interface with this number"},
		{ELECTION_NONE, RIG_ASKER, mac, "there is no interface with this number"},
		{0, RIG_OWN, mac, "this is an address of this box"},
		{0, RIG_VIP, mac, "this is an address of this box"},
		{0, UINT32_C(0x0a000001), mac, "the address is that of no host on a subnet of em0"},
		{0, UINT32_C(0xc00002ff), mac, "the address is that of no host on a subnet of em0"},
		{0, RIG_ASKER, rig_vmac, "this is a MAC address of this box"},
		{0, RIG_ASKER, rig_if_mac, "this is a MAC address of this box"},
	};
	struct rig r = rig_make(rig_pair);
	struct ctl_event ev[64];
	uint64_t last;
	uint32_t n;
	char note[160];

	(void)state;
	for (unsigned int i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(ask(&r, CTL_REQ_NBR_SET, refused[i].if_index, refused[i].ip,
					 refused[i].mac, note),
			-EINVAL);
		assert_string_equal(note, refused[i].note);
	}
	assert_int_equal(fake.n_nbr_set, 0);
	assert_int_equal(ask(&r, CTL_REQ_NBR_SET, 0, RIG_ASKER, mac, note), 0);
	assert_int_equal(fake.n_nbr_set, 1);
	assert_int_equal(base_addr_ip4(&fake.nbr_set.addr), RIG_ASKER);
	assert_memory_equal(fake.nbr_set.mac, mac, sizeof(mac));
	n = ctl_events(r.ctl, ELECTION_NONE, 0, ev, 64, &last);
	assert_int_equal(ev[n - 1].kind, CTL_EVENT_REQUEST);
	assert_string_equal(ev[n - 1].text, "neighbor add 192.0.2.100");
	assert_int_equal(ev[n - 1].if_id, 0);

	fake.nbr_result = -ENOSPC;
	assert_int_equal(ask(&r, CTL_REQ_NBR_SET, 0, RIG_ASKER, mac, note), -ENOSPC);
	assert_string_equal(note, "em0 has as many neighbours as it may have");
	fake.nbr_result = -EINVAL;
	assert_int_equal(ask(&r, CTL_REQ_NBR_SET, 0, RIG_ASKER, mac, note), -EINVAL);
	assert_string_equal(note, "this is no MAC address of a host");

	fake.nbr_result = 0;
	assert_int_equal(ask(&r, CTL_REQ_NBR_FORGET, 0, RIG_ASKER, NULL, note), 0);
	fake.nbr_result = -ENOENT;
	assert_int_equal(ask(&r, CTL_REQ_NBR_FORGET, 0, RIG_ASKER, NULL, note), -ENOENT);
	assert_string_equal(note, "there is no such neighbour");
	assert_int_equal(fake.n_nbr_forgotten, 2);
	rig_free(&r);
}

static void
clear(void **state)
{
	struct rig r = rig_make(rig_pair);
	char note[160];

	(void)state;
	/* all of an interface, in as many turns as the table wants, and no more */
	assert_int_equal(ask(&r, CTL_REQ_NBR_CLEAR, 1, 0, NULL, note), 0);
	for (unsigned int i = 0; i < 10; i++)
		rig_turn(&r);
	assert_int_equal(fake.n_nbr_clears, 3);
	assert_int_equal(fake.nbr_cleared_if, 1);
	assert_int_equal(ask(&r, CTL_REQ_NBR_CLEAR, ELECTION_NONE, 0, NULL, note), 0);
	rig_turn(&r);
	assert_int_equal(fake.nbr_cleared_if, FIB_NBR_IF_ALL);

	/* one of them, wherever it is */
	fake.n_nbr_forgotten = 0;
	assert_int_equal(ask(&r, CTL_REQ_NBR_CLEAR, ELECTION_NONE, RIG_ASKER, NULL, note), 0);
	assert_int_equal(fake.n_nbr_forgotten, 2);
	assert_int_equal(ask(&r, CTL_REQ_NBR_CLEAR, 1, RIG_ASKER, NULL, note), 0);
	assert_int_equal(fake.n_nbr_forgotten, 3);
	fake.nbr_static = true;
	assert_int_equal(ask(&r, CTL_REQ_NBR_CLEAR, 0, RIG_ASKER, NULL, note), -ENOENT);
	assert_non_null(strstr(note, "static"));
	assert_int_equal(fake.n_nbr_forgotten, 3);
	fake.nbr_static = false;
	fake.nbr_result = -ENOENT;
	assert_int_equal(ask(&r, CTL_REQ_NBR_CLEAR, 0, RIG_ASKER, NULL, note), -ENOENT);
	assert_string_equal(note, "there is no such neighbour");
	assert_int_equal(ask(&r, CTL_REQ_NBR_CLEAR, 9, 0, NULL, note), -EINVAL);
	rig_free(&r);
}

static void
those_of_the_file_are_set_at_start(void **state)
{
	static const char text[] =
		"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\",\"addresses\":["
		"\"192.0.2.2/24\"],\"neighbors\":[{\"address\":\"192.0.2.100\",\"mac\":"
		"\"02:00:00:00:00:09\"}]}]}";
	struct rig r;

	(void)state;
	r = rig_make(text);
	assert_int_equal(fake.n_nbr_set, 1);
	assert_int_equal(base_addr_ip4(&fake.nbr_set.addr), RIG_ASKER);
	assert_memory_equal(fake.nbr_set.mac, mac, sizeof(mac));
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_and_forget),
		cmocka_unit_test(clear),
		cmocka_unit_test(those_of_the_file_are_set_at_start),
	};

	return cmocka_run_group_tests_name("ctl_nbr", tests, fake_eal_setup, fake_eal_teardown);
}
