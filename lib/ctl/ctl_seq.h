/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_SEQ_H
#define CTL_SEQ_H

#include <stddef.h>
#include <stdint.h>

/**
 * @file
 * A sequence lock for one writer and any number of readers: the writer never waits, a
 * reader that met a write tries again. Data is copied word by word with relaxed
 * atomics, so that a torn read is discarded but never undefined.
 */

/** One word of any struct; sizes copied here are multiples of it. */
typedef uint64_t __attribute__((may_alias)) ctl_word;

static inline void
ctl_seq_copy(void *dst, const void *src, size_t len)
{
	ctl_word *d = dst;
	const ctl_word *s = src;

	for (size_t i = 0; i < len / sizeof(*d); i++)
		__atomic_store_n(&d[i], __atomic_load_n(&s[i], __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

/** Publish len bytes. @thread the one writer */
static inline void
ctl_seq_write(uint32_t *seq, void *dst, const void *src, size_t len)
{
	uint32_t s = __atomic_load_n(seq, __ATOMIC_RELAXED);

	__atomic_store_n(seq, s + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	ctl_seq_copy(dst, src, len);
	__atomic_store_n(seq, s + 2, __ATOMIC_RELEASE);
}

/** Take a consistent copy. @thread any */
static inline void
ctl_seq_read(const uint32_t *seq, void *dst, const void *src, size_t len)
{
	uint32_t before, after;

	do {
		before = __atomic_load_n(seq, __ATOMIC_ACQUIRE);
		ctl_seq_copy(dst, src, len);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n(seq, __ATOMIC_RELAXED);
	} while ((before & 1) || before != after);
}

#endif
