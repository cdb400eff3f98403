/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#include <assert.h>

/**
 * A broken invariant of ours, never bad input. Kept in release builds too: a
 * firewall that has lost track of its own state must stop and let its peer
 * take over.
 */
#define BASE_ASSERT(cond)                                                                      \
	do {                                                                                   \
		if (__builtin_expect(!(cond), 0))                                              \
			__assert_fail(                                                         \
				#cond, __FILE__, __LINE__, __extension__ __PRETTY_FUNCTION__); \
	} while (0)

#endif
