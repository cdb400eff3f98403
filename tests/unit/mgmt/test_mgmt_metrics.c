/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Metrics as text: both formats, labels, units, and that nothing is said twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_metrics_priv.h"

static char *
render(enum mgmt_metrics_format format)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	mgmt_metrics_write(&fake.config, format, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* The text holds these lines in a row. */
static void
holds(const char *text, const char *lines)
{
	const char *at = strstr(text, lines);

	if (!at || (at != text && at[-1] != '\n'))
		fail_msg("not there:\n%s\nin:\n%s", lines, text);
}

static void
values_and_labels(void **state)
{
	char *text;

	(void)state;
	fake.groups[0].stats[CTL_STAT_OPACKETS] = 7;
	fake.groups[1].stats[CTL_STAT_OPACKETS] = UINT64_C(5000000000);
	fake.box.no_group[CTL_STAT_BADVHID] = 3;
	fake.groups[0].info.transitions = 4;
	fake.groups[0].takeover_ns = 38 * BASE_NS_PER_US;
	fake.dp.drops[DP_DROP_ADVERT_RING_FULL] = 9;
	fake.box.late[0] = 10;
	fake.box.late[2] = 5;
	fake.box.late[CTL_LATE_BUCKETS - 1] = 1;
	fake.box.late_sum = 140 * BASE_NS_PER_MS;
	fake.port_stats[0].rx_bytes = 1500;
	text = render(MGMT_METRICS_OPENMETRICS);
	holds(text,
		"# TYPE koi_carp_state gauge\n"
		"# HELP koi_carp_state 1 for the state that the group is in, 0 for the others.\n"
		"koi_carp_state{group=\"carp0\",vhid=\"1\",interface=\"lan\",state=\"INIT\"} 0\n"
		"koi_carp_state{group=\"carp0\",vhid=\"1\",interface=\"lan\",state=\"BACKUP\"} 0\n"
		"koi_carp_state{group=\"carp0\",vhid=\"1\",interface=\"lan\",state=\"MASTER\"} 1\n"
		"koi_carp_state{group=\"carp1\",vhid=\"2\",interface=\"wan\",state=\"INIT\"} 0\n"
		"koi_carp_state{group=\"carp1\",vhid=\"2\",interface=\"wan\",state=\"BACKUP\"} 1\n");
	holds(text,
		"# TYPE koi_carp_opackets counter\n"
		"# HELP koi_carp_opackets adverts sent (IPv4)\n"
		"koi_carp_opackets_total{group=\"\",vhid=\"\",interface=\"\"} 0\n"
		"koi_carp_opackets_total{group=\"carp0\",vhid=\"1\",interface=\"lan\"} 7\n"
		"koi_carp_opackets_total{group=\"carp1\",vhid=\"2\",interface=\"wan\"} "
		"5000000000\n");
	holds(text, "koi_carp_badvhid_total{group=\"\",vhid=\"\",interface=\"\"} 3\n");
	holds(text,
		"# TYPE koi_carp_takeover_seconds gauge\n"
		"# UNIT koi_carp_takeover_seconds seconds\n");
	holds(text,
		"koi_carp_takeover_seconds{group=\"carp0\",vhid=\"1\",interface=\"lan\"} "
		"0.000038\n");
	holds(text, "koi_carp_transitions_total{group=\"carp0\",vhid=\"1\",interface=\"lan\"} 4\n");
	holds(text, "koi_dropped_frames_total{reason=\"advert_ring_full\"} 9\n");
	holds(text,
		"# TYPE koi_carp_advert_lateness_seconds histogram\n"
		"# UNIT koi_carp_advert_lateness_seconds seconds\n");
	holds(text,
		"koi_carp_advert_lateness_seconds_bucket{le=\"0.000004\"} 10\n"
		"koi_carp_advert_lateness_seconds_bucket{le=\"0.000008\"} 10\n"
		"koi_carp_advert_lateness_seconds_bucket{le=\"0.000016\"} 15\n");
	holds(text,
		"koi_carp_advert_lateness_seconds_bucket{le=\"0.065536\"} 15\n"
		"koi_carp_advert_lateness_seconds_bucket{le=\"+Inf\"} 16\n"
		"koi_carp_advert_lateness_seconds_count 16\n"
		"koi_carp_advert_lateness_seconds_sum 0.140000\n");
	holds(text, "# UNIT koi_port_received_bytes bytes\n");
	assert_non_null(strstr(text, "koi_build_info{version=\""));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
}

/* Its families of counters are named as the samples; it has neither units nor an end. */
static void
text_format(void **state)
{
	char *text = render(MGMT_METRICS_TEXT);

	(void)state;
	holds(text,
		"# TYPE koi_carp_opackets_total counter\n"
		"# HELP koi_carp_opackets_total adverts sent (IPv4)\n");
	holds(text,
		"# TYPE koi_build_info gauge\n"
		"# HELP koi_build_info What runs here.\n");
	assert_null(strstr(text, "# UNIT"));
	assert_null(strstr(text, "# EOF"));
	free(text);
}

/* A family appears once, and every sample stands below its own. */
static void
families_once(void **state)
{
	(void)state;
	for (unsigned int f = 0; f < MGMT_METRICS_FORMATS; f++) {
		char *text = render((enum mgmt_metrics_format)f), *save = NULL, *copy;
		char family[128] = "", type[160];
		unsigned int samples = 0;

		copy = strdup(text);
		for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
			if (sscanf(l, "# TYPE %127s", family) == 1) {
				snprintf(type, sizeof(type), "# TYPE %s ", family);
				if (strstr(strstr(text, type) + 1, type))
					fail_msg("twice: %s", family);
			} else if (l[0] != '#') {
				assert_int_equal(strncmp(l, family, strlen(family)), 0);
				samples++;
			}
		}
		assert_true(samples > 100);
		free(copy);
		free(text);
	}
}

/* What is not known has no sample: 0 would be a value, and a counter's way back. */
static void
unknown_is_left_out(void **state)
{
	static const char age[] = "\nkoi_carp_heard_age_seconds{group=\"carp0\"";
	char *text;

	(void)state;
	fake.groups[0].info.heard_at = BASE_NS_NEVER;
	text = render(MGMT_METRICS_TEXT);
	assert_null(strstr(text, age));
	free(text);
	fake.groups[0].info.heard_at = fake.now - 1500 * BASE_NS_PER_MS;
	text = render(MGMT_METRICS_TEXT);
	holds(text,
		"koi_carp_heard_age_seconds{group=\"carp0\",vhid=\"1\",interface=\"lan\"} 1.500\n");
	free(text);
}

static void
demotion_entries(void **state)
{
	char *text;

	(void)state;
	fake.demotions[0] = (struct election_demotion_entry){
		.source = ELECTION_DEMOTION_LINK,
		.if_id = 1,
		.group = ELECTION_NONE,
		.amount = 240,
		.since = fake.now - 2 * BASE_NS_PER_S,
		.expires = BASE_NS_NEVER,
	};
	fake.n_demotions = 1;
	text = render(MGMT_METRICS_OPENMETRICS);
	holds(text, "koi_carp_demotion_entry{source=\"link\",interface=\"wan\",group=\"\"} 240\n");
	holds(text,
		"koi_carp_demotion_entry_age_seconds{source=\"link\",interface=\"wan\","
		"group=\"\"} 2.000\n");
	free(text);
}

static void
escapes(void **state)
{
	char *text;

	(void)state;
	snprintf(fake.ports[0].device, sizeof(fake.ports[0].device), "a\"b\\c\nd");
	text = render(MGMT_METRICS_TEXT);
	assert_non_null(strstr(text, "{device=\"a\\\"b\\\\c\\nd\"} "));
	free(text);
}

static void
accept_header(void **state)
{
	(void)state;
	assert_int_equal(mgmt_metrics_accept(NULL), MGMT_METRICS_TEXT);
	assert_int_equal(mgmt_metrics_accept("*/*"), MGMT_METRICS_TEXT);
	assert_int_equal(mgmt_metrics_accept("application/openmetrics-text;version=1.0.0,"
					     "text/plain;version=0.0.4;q=0.5"),
		MGMT_METRICS_OPENMETRICS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_and_labels, fake_before, fake_after),
		cmocka_unit_test_setup_teardown(text_format, fake_before, fake_after),
		cmocka_unit_test_setup_teardown(families_once, fake_before, fake_after),
		cmocka_unit_test_setup_teardown(unknown_is_left_out, fake_before, fake_after),
		cmocka_unit_test_setup_teardown(demotion_entries, fake_before, fake_after),
		cmocka_unit_test_setup_teardown(escapes, fake_before, fake_after),
		cmocka_unit_test(accept_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
