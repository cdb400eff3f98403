/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Configurations in which a change of addresses or password is staged. */
#include "conf_cases.h"

#include <errno.h>

#include "conf_stage.h"

#define FILE_OF(carp, a, b)                                                                     \
	"{\"node\": \"n\", \"interfaces\": [{\"name\": \"lan\", \"device\": \"d0\", "           \
	"\"addresses\": [\"192.0.2.2/24\", \"2001:db8:1::2/64\"]}, {\"name\": \"wan\", "        \
	"\"device\": \"d1\", \"addresses\": [\"198.51.100.2/24\"]}], \"carp\": {" carp          \
	"\"groups\": [{\"name\": \"a\", \"carpdev\": \"lan\", \"vhid\": 1, " a "}, {\"name\": " \
	"\"b\", \"carpdev\": \"lan\", \"vhid\": 2, " b "}]}}"
#define A(pass, addresses) "\"pass\": \"" pass "\", \"addresses\": [" addresses "]"
#define ONE		   "\"192.0.2.1/24\""
#define TWO		   "\"192.0.2.3/24\""
#define B		   A("b", "\"192.0.2.9/24\"")

/* Load text over now. @return what comes of group a; now is the outcome, but where it is refused */
static enum conf_stage
load(struct conf **now, const char *text, bool open)
{
	struct conf *next = conf_case_good(text);
	enum conf_stage ret = conf_stage_group(&next->groups[0], &(*now)->groups[0], open);
	bool refused = ret == CONF_STAGE_OTHER || ret == CONF_STAGE_FAMILY;

	conf_free(refused ? next : *now);
	if (!refused)
		*now = next;
	return ret;
}

static void
assert_first(const struct conf *c, const char *want)
{
	char buf[CONF_ADDR_STR];

	assert_string_equal(conf_prefix_str(&c->groups[0].addresses[0], buf), want);
}

static void
order_and_lengths_make_no_other_digest(void **state)
{
	struct conf *c = conf_case_good(FILE_OF("", A("x", ONE ", " TWO), B));

	(void)state;
	assert_int_equal(load(&c, FILE_OF("", A("x", TWO ", \"192.0.2.1/25\""), B), false),
		CONF_STAGE_NOTHING);
	assert_first(c, "192.0.2.3/24");
	assert_null(c->groups[0].staged);
	conf_free(c);
}

static void
what_runs_goes_on_and_the_file_is_staged(void **state)
{
	struct conf *c = conf_case_good(FILE_OF("", A("x", ONE), B));
	char text[CONF_STAGE_STR];
	bool turn[2] = {true, false};
	struct conf *turned;

	(void)state;
	assert_int_equal(
		load(&c, FILE_OF("", A("y", TWO) ", \"advskew\": 7", B), false), CONF_STAGE_BEGUN);
	assert_first(c, "192.0.2.1/24");
	assert_int_equal(c->groups[0].advskew, 7);
	assert_true(c->groups[0].staged->begin);
	assert_string_equal(
		conf_stage_str(&c->groups[0], text), "addresses +192.0.2.3 -192.0.2.1, pass");
	assert_string_equal(conf_stage_keys(&c->groups[0]), "addresses, pass");
	/* it changes places, and the way of telling it does not */
	turned = conf_stage_turn(c, turn);
	assert_non_null(turned);
	assert_first(turned, "192.0.2.3/24");
	assert_first(c, "192.0.2.1/24");
	assert_false(turned->groups[0].staged->begin);
	assert_string_equal(
		conf_stage_str(&turned->groups[0], text), "addresses +192.0.2.3 -192.0.2.1, pass");
	conf_stage_leave(c, turn);
	/* and back, where the one that was made is left */
	c = conf_stage_turn(turned, turn);
	assert_non_null(c);
	assert_first(c, "192.0.2.1/24");
	conf_stage_leave(c, turn);
	conf_stage_over(&turned->groups[0]);
	assert_null(turned->groups[0].staged);
	conf_free(turned);
}

/* While it is under way: whichever of the two the file has. */
static void
a_file_with_one_of_both_keeps_it(void **state)
{
	static const char old[] = FILE_OF("", A("x", ONE), B), new[] = FILE_OF("", A("y", ONE), B);
	struct conf *c = conf_case_good(old);
	bool turn[2] = {true, false};

	(void)state;
	assert_int_equal(load(&c, new, false), CONF_STAGE_BEGUN);
	for (unsigned int turned = 0; turned < 2; turned++) {
		assert_int_equal(load(&c, old, true), CONF_STAGE_KEPT);
		assert_false(c->groups[0].staged->file_new || c->groups[0].staged->begin);
		assert_int_equal(c->groups[0].staged->uses_new, turned);
		assert_int_equal(load(&c, new, true), CONF_STAGE_KEPT);
		assert_true(c->groups[0].staged->file_new);
		assert_int_equal(c->groups[0].staged->uses_new, turned);
		assert_int_equal(load(&c, FILE_OF("", A("z", ONE), B), true), CONF_STAGE_OTHER);
		struct conf *last = c;

		c = conf_stage_turn(last, turn);
		assert_non_null(c);
		conf_stage_leave(last, turn);
	}
	/* it ends with the old one in use: the file says otherwise, and stages it again */
	assert_false(c->groups[0].staged->uses_new);
	conf_stage_over(&c->groups[0]);
	assert_true(c->groups[0].staged->over);
	assert_int_equal(load(&c, new, false), CONF_STAGE_BEGUN);
	conf_stage_over(&c->groups[0]);
	assert_int_equal(load(&c, old, false), CONF_STAGE_NOTHING);
	conf_free(c);
}

static void
who_would_not_be_heard_is_not_staged(void **state)
{
	static const char v4[] = FILE_OF("", A("x", ONE), B),
			  both[] = FILE_OF("", A("x", ONE ", \"2001:db8:1::1/64\""), B),
			  v6[] = FILE_OF("", A("x", "\"2001:db8:1::1/64\""), B),
			  any[] = FILE_OF("",
				  A("x",
					  ONE
					  ", \"2001:db8:1::1/64\"") ", \"family-timers\": \"any\"",
				  B);
	static const struct {
		const char *from, *to;
		enum conf_stage want;
	} cases[] = {
		{v4, both, CONF_STAGE_BEGUN},
		{both, v6, CONF_STAGE_BEGUN},
		{v4, v6, CONF_STAGE_FAMILY},
		{v4, any, CONF_STAGE_FAMILY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf *c = conf_case_good(cases[i].from);

		assert_int_equal(load(&c, cases[i].to, false), cases[i].want);
		conf_free(c);
	}
}

static void
an_address_is_never_in_two_places(void **state)
{
	static const struct {
		const char *from, *to, *want;
	} cases[] = {
		{FILE_OF("", A("x", ONE ", " TWO), B), FILE_OF("", A("x", ONE), B), NULL},
		{FILE_OF("", A("x", ONE ", " TWO), B),
			FILE_OF("", A("x", ONE), A("b", "\"192.0.2.9/24\", " TWO)),
			"192.0.2.3 moves between a and b"},
		{FILE_OF("\"arpbalance\": true, ", A("x", ONE ", " TWO), B),
			FILE_OF("\"arpbalance\": true, ", A("x", ONE),
				A("b", "\"192.0.2.9/24\", " TWO)),
			NULL},
		{FILE_OF("", A("x", ONE ", \"fe80::5/64\""), B),
			FILE_OF("", A("x", ONE), A("b", "\"192.0.2.9/24\", \"fe80::5/64\"")),
			"fe80::5 moves between a and b"},
	};
	char err[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf *c = conf_case_good(cases[i].from);

		assert_int_equal(load(&c, cases[i].to, false), CONF_STAGE_BEGUN);
		assert_int_equal(conf_stage_check(c, err, sizeof(err)),
			cases[i].want != NULL ? -EADDRINUSE : 0);
		if (cases[i].want != NULL)
			assert_string_equal(err, cases[i].want);
		conf_free(c);
	}
}

static void
many_addresses_have_room(void **state)
{
	char list[255 * 24] = ONE, text[sizeof(list) + 1024], buf[CONF_STAGE_STR];
	struct conf *c = conf_case_good(FILE_OF("", A("x", ONE), B));
	size_t at = strlen(list);

	(void)state;
	for (unsigned int i = 0; i < 200; i++)
		at += (size_t)snprintf(
			list + at, sizeof(list) - at, ", \"2001:db8:1::1:%x/64\"", i);
	snprintf(text, sizeof(text), FILE_OF("", A("x", "%s"), B), list);
	assert_int_equal(load(&c, text, false), CONF_STAGE_BEGUN);
	conf_stage_str(&c->groups[0], buf);
	assert_non_null(strstr(buf, "addresses +2001:db8:1::1:0 +2001:db8:1::1:1 "));
	assert_non_null(strstr(buf, " more"));
	assert_true(strlen(buf) < 200);
	conf_free(c);
}

/* Hosts are told of the subnets that there are, not of those that may come. */
static void
router_advertisements_follow_the_addresses(void **state)
{
#define RA_FILE(vip)                                                                  \
	"{\"node\": \"n\", \"interfaces\": [{\"name\": \"lan\", \"device\": \"d0\", " \
	"\"ra\": {}}], \"carp\": {\"groups\": [{\"name\": \"a\", \"carpdev\": "       \
	"\"lan\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": [\"" vip "\"]}]}}"
	struct conf *c = conf_case_good(RA_FILE("2001:db8:1::1/64")), *turned;
	const bool turn[] = {true};

	(void)state;
	assert_int_equal(load(&c, RA_FILE("2001:db8:2::1/64"), false), CONF_STAGE_BEGUN);
	assert_int_equal(c->ifs[0].ra->msg.prefix[0].prefix[5], 2);
	conf_ra_subnets(c);
	assert_int_equal(c->ifs[0].ra->msg.n_prefixes, 1);
	assert_int_equal(c->ifs[0].ra->msg.prefix[0].prefix[5], 1);
	turned = conf_stage_turn(c, turn);
	assert_non_null(turned);
	assert_int_equal(turned->ifs[0].ra->msg.n_prefixes, 1);
	assert_int_equal(turned->ifs[0].ra->msg.prefix[0].prefix[5], 2);
	assert_int_equal(c->ifs[0].ra->msg.prefix[0].prefix[5], 1);
	conf_stage_leave(c, turn);
	conf_free(turned);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_lengths_make_no_other_digest),
		cmocka_unit_test(what_runs_goes_on_and_the_file_is_staged),
		cmocka_unit_test(a_file_with_one_of_both_keeps_it),
		cmocka_unit_test(who_would_not_be_heard_is_not_staged),
		cmocka_unit_test(an_address_is_never_in_two_places),
		cmocka_unit_test(many_addresses_have_room),
		cmocka_unit_test(router_advertisements_follow_the_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
