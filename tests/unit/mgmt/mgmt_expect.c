/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void
expect_text(json_t *view, void (*print)(FILE *, const json_t *), const char *want)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(view);
	print(f, view);
	fclose(f);
	assert_string_equal(text, want);
	free(text);
	json_decref(view);
}
