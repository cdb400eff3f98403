/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef SUPPORT_PCAPNG_H
#define SUPPORT_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * @file
 * A reader of pcapng that shares nothing with the writer, of either byte order. What is not as the
 * format wants it fails the running cmocka test.
 */

enum pcapng_type {
	PCAPNG_INTERFACE = 1,
	PCAPNG_STATISTICS = 5,
	PCAPNG_PACKET = 6,
	PCAPNG_SECTION = 0x0a0d0d0a,
};

/** A block; texts are "" where there are none. */
struct pcapng_block {
	enum pcapng_type type;
	uint32_t interface;
	uint64_t time; /**< as it is there */
	uint32_t captured, len;
	const uint8_t *bytes; /**< in what was read */
	uint32_t flags;
	uint32_t link, snap_len;
	unsigned int tsresol;
	uint64_t received, dropped, start, end;
	char comment[1100], name[64], description[64], application[64];
};

/** What is being read, and how far. */
struct pcapng {
	const uint8_t *bytes;
	size_t len, at;
	bool swapped; /**< little-endian */
};

/** The next block. @return false at the end, which must be that of a block */
bool pcapng_next(struct pcapng *p, struct pcapng_block *out);

/** Read a whole file. @return its bytes, to be freed */
uint8_t *pcapng_file(const char *path, struct pcapng *p);

#endif
