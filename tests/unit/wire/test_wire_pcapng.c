/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* pcapng blocks: what is written is what an independent reader finds, at any length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pcapng.h"
#include "wire_pcapng.h"

static void
a_file_is_read_as_it_was_written(void **state)
{
	uint8_t buf[4096], frame[64];
	struct pcapng p = {.bytes = buf};
	struct pcapng_block b;
	size_t n = 0;
	const struct wire_pcapng_packet packet = {
		.interface = 1,
		.wall_ns = UINT64_C(1767225600123456789),
		.captured = sizeof(frame),
		.len = 1514,
		.outbound = true,
		.comment = "carp0: sent",
	};
	const struct wire_pcapng_statistics statistics = {
		.interface = 1,
		.wall_ns = UINT64_C(1767225601000000001),
		.start_ns = UINT64_C(1767225600000000002),
		.end_ns = UINT64_C(1767225601000000003),
		.captured = (UINT64_C(1) << 32) + 7,
		.lost = 5,
		.comment = "ended",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(0xff - i);
	n += wire_pcapng_section(buf + n, sizeof(buf) - n, "koi 1.2");
	n += wire_pcapng_interface(buf + n, sizeof(buf) - n, "lan", "net_tap0", 0);
	n += wire_pcapng_interface(buf + n, sizeof(buf) - n, "wan", NULL, 96);
	n += wire_pcapng_packet(buf + n, sizeof(buf) - n, &packet, frame);
	n += wire_pcapng_statistics(buf + n, sizeof(buf) - n, &statistics);
	p.len = n;
	assert_true(pcapng_next(&p, &b));
	assert_int_equal(b.type, PCAPNG_SECTION);
	assert_string_equal(b.application, "koi 1.2");
	assert_true(pcapng_next(&p, &b));
	assert_int_equal(b.type, PCAPNG_INTERFACE);
	assert_int_equal(b.link, 1);
	assert_int_equal(b.tsresol, 9);
	assert_string_equal(b.name, "lan");
	assert_string_equal(b.description, "net_tap0");
	assert_true(pcapng_next(&p, &b));
	assert_string_equal(b.name, "wan");
	assert_string_equal(b.description, "");
	assert_int_equal(b.snap_len, 96);
	assert_true(pcapng_next(&p, &b));
	assert_int_equal(b.type, PCAPNG_PACKET);
	assert_int_equal(b.interface, 1);
	assert_true(b.time == packet.wall_ns);
	assert_int_equal(b.captured, sizeof(frame));
	assert_int_equal(b.len, 1514);
	assert_memory_equal(b.bytes, frame, sizeof(frame));
	assert_int_equal(b.flags, 2);
	assert_string_equal(b.comment, "carp0: sent");
	assert_true(pcapng_next(&p, &b));
	assert_int_equal(b.type, PCAPNG_STATISTICS);
	assert_true(b.time == statistics.wall_ns);
	assert_true(b.start == statistics.start_ns);
	assert_true(b.end == statistics.end_ns);
	assert_true(b.received == statistics.captured + 5);
	assert_true(b.dropped == 5);
	assert_string_equal(b.comment, "ended");
	assert_false(pcapng_next(&p, &b));
}

/* Frames and comments of every length modulo 4, in exactly the room that they take, and in less. */
static void
every_length_fits_exactly_or_not_at_all(void **state)
{
	uint8_t frame[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	static const char comment[] = "12345678";

	(void)state;
	for (uint32_t len = 0; len <= sizeof(frame); len++) {
		for (size_t skip = 0; skip <= 8; skip++) {
			const struct wire_pcapng_packet packet = {
				.captured = len, .len = len, .comment = comment + skip};
			uint8_t big[256];
			size_t n = wire_pcapng_packet(big, sizeof(big), &packet, frame);
			size_t text = 8 - skip, room = text == 0 ? 0 : 4 + (text + 3) / 4 * 4;
			struct pcapng_block b;
			uint8_t *exact;

			assert_int_not_equal(n, 0);
			assert_true(n <= WIRE_PCAPNG_PACKET_ROOM + len + room);
			for (size_t cap = 0; cap < n; cap++) {
				exact = malloc(cap + 1);
				assert_non_null(exact);
				assert_int_equal(wire_pcapng_packet(exact, cap, &packet, frame), 0);
				free(exact);
			}
			exact = malloc(n);
			assert_non_null(exact);
			assert_int_equal(wire_pcapng_packet(exact, n, &packet, frame), n);
			struct pcapng p = {0};
			uint8_t *whole = malloc(n + 64);

			/* after a section, which tells the byte order */
			assert_non_null(whole);
			p.at = wire_pcapng_section(whole, 64, NULL);
			memcpy(whole + p.at, exact, n);
			p.bytes = whole;
			p.len = p.at + n;
			assert_true(pcapng_next(&p, &b));
			assert_int_equal(b.captured, len);
			assert_memory_equal(b.bytes, frame, len);
			assert_string_equal(b.comment, comment + skip);
			assert_int_equal(b.flags, 1);
			assert_false(pcapng_next(&p, &b));
			free(whole);
			free(exact);
		}
	}
}

static void
a_comment_that_is_too_long_is_cut(void **state)
{
	char comment[2 * WIRE_PCAPNG_TEXT_MAX + 1];
	const struct wire_pcapng_packet packet = {.comment = comment};
	uint8_t buf[4096];
	struct pcapng p = {.bytes = buf};
	struct pcapng_block b;

	(void)state;
	memset(comment, 'x', sizeof(comment) - 1);
	comment[sizeof(comment) - 1] = '\0';
	p.at = wire_pcapng_section(buf, sizeof(buf), NULL);
	p.len = p.at + wire_pcapng_packet(buf + p.at, sizeof(buf) - p.at, &packet, buf);
	assert_true(pcapng_next(&p, &b));
	assert_int_equal(strlen(b.comment), WIRE_PCAPNG_TEXT_MAX);
	assert_false(pcapng_next(&p, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_as_it_was_written),
		cmocka_unit_test(every_length_fits_exactly_or_not_at_all),
		cmocka_unit_test(a_comment_that_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
