/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* ARP balancing against the vectors. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "auth_balance.h"

static json_t *
rows_load(void)
{
	json_t *all = json_load_file(TEST_DATA "/carp-hmac.json", 0, NULL);

	assert_non_null(all);
	json_t *rows = json_incref(json_object_get(all, "arpbalance"));

	json_decref(all);
	assert_true(json_array_size(rows) >= 5);
	return rows;
}

static uint32_t
key_word(json_t *row, size_t i)
{
	unsigned int v;

	/* the bytes as they stand in memory of a little-endian machine, most significant first */
	json_t *word = json_array_get(json_object_get(row, "hashkey_le"), i);

	assert_int_equal(sscanf(json_string_value(word), "%8x", &v), 1);
	return v;
}

static void
conformance_63_hash_and_index_as_in_the_vectors(void **state)
{
	json_t *rows = rows_load(), *row;
	size_t i;

	(void)state;
	json_array_foreach (rows, i, row) {
		uint8_t key[AUTH_KEY_LEN], mac[6];
		struct auth_balance b;

		assert_int_equal(
			auth_key_from_pass(json_string_value(json_object_get(row, "pass")), key),
			0);
		assert_int_equal(sscanf(json_string_value(json_object_get(row, "sender_mac")),
					 "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
					 &mac[3], &mac[4], &mac[5]),
			6);
		assert_int_equal(auth_balance_init(&b, key), 0);
		assert_int_equal(b.k0, key_word(row, 0));
		assert_int_equal(b.k1, key_word(row, 1));
		uint32_t hash = auth_balance_hash(&b, mac);

		assert_int_equal(hash, json_integer_value(json_object_get(row, "hash")));
		assert_int_equal(hash % 2, json_integer_value(json_object_get(row, "index_of_2")));
		assert_int_equal(hash % 3, json_integer_value(json_object_get(row, "index_of_3")));
		assert_int_equal(hash % 4, json_integer_value(json_object_get(row, "index_of_4")));
	}
	json_decref(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_63_hash_and_index_as_in_the_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
