/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pcapng.h"

static uint32_t
number(const struct pcapng *p, size_t at, unsigned int n)
{
	uint32_t v = 0;

	assert_true(at + n <= p->len);
	for (unsigned int i = 0; i < n; i++)
		v = v << 8 | p->bytes[at + (p->swapped ? n - 1 - i : i)];
	return v;
}

static uint32_t
u32(const struct pcapng *p, size_t at)
{
	return number(p, at, 4);
}

static uint64_t
halves(const struct pcapng *p, size_t at)
{
	return (uint64_t)u32(p, at) << 32 | u32(p, at + 4);
}

/* A number of 64 bits in the section's own order. */
static uint64_t
u64(const struct pcapng *p, size_t at)
{
	return p->swapped ? (uint64_t)u32(p, at + 4) << 32 | u32(p, at) : halves(p, at);
}

static void
text(const struct pcapng *p, size_t at, uint32_t n, char *to, size_t cap)
{
	assert_true(n < cap);
	assert_null(memchr(p->bytes + at, '\0', n));
	memcpy(to, p->bytes + at, n);
	to[n] = '\0';
}

static void
option(const struct pcapng *p, struct pcapng_block *b, uint32_t code, size_t at, uint32_t n)
{
	if (code == 1) {
		text(p, at, n, b->comment, sizeof(b->comment));
	} else if (b->type == PCAPNG_SECTION) {
		assert_int_equal(code, 4);
		text(p, at, n, b->application, sizeof(b->application));
	} else if (b->type == PCAPNG_INTERFACE && code == 9) {
		assert_int_equal(n, 1);
		b->tsresol = p->bytes[at];
	} else if (b->type == PCAPNG_INTERFACE) {
		assert_in_range(code, 2, 3);
		text(p, at, n, code == 2 ? b->name : b->description, sizeof(b->name));
	} else if (b->type == PCAPNG_PACKET) {
		assert_int_equal(code, 2);
		assert_int_equal(n, 4);
		b->flags = u32(p, at);
	} else {
		assert_int_equal(n, 8);
		assert_in_range(code, 2, 5);
		if (code == 2)
			b->start = halves(p, at);
		else if (code == 3)
			b->end = halves(p, at);
		else if (code == 4)
			b->received = u64(p, at);
		else
			b->dropped = u64(p, at);
	}
}

static void
options(const struct pcapng *p, struct pcapng_block *b, size_t at, size_t end)
{
	while (at < end) {
		uint32_t code = number(p, at, 2), n = number(p, at + 2, 2);

		assert_true(at + 4 + n <= end);
		for (size_t pad = n; pad % 4 != 0; pad++)
			assert_int_equal(p->bytes[at + 4 + pad], 0);
		if (code == 0) {
			assert_int_equal(n, 0);
			assert_int_equal(at + 4, end);
			return;
		}
		option(p, b, code, at + 4, n);
		at += 4 + (n + 3) / 4 * 4;
	}
	fail_msg("options without an end");
}

bool
pcapng_next(struct pcapng *p, struct pcapng_block *out)
{
	size_t at = p->at, from, end;

	memset(out, 0, sizeof(*out));
	if (at == p->len)
		return false;
	assert_true(at + 12 <= p->len);
	if (at == 0) {
		p->swapped = false;
		p->swapped = u32(p, 8) != 0x1a2b3c4d;
		assert_int_equal(u32(p, 8), 0x1a2b3c4d);
	}
	out->type = (enum pcapng_type)u32(p, at);
	end = at + u32(p, at + 4);
	assert_int_equal(end % 4, 0);
	assert_true(end <= p->len && end >= at + 12);
	assert_int_equal(u32(p, end - 4), end - at);
	from = at + 8;
	switch (out->type) {
	case PCAPNG_SECTION:
		assert_int_equal(at, 0);
		assert_int_equal(number(p, from + 4, 2), 1);
		from += 16;
		break;
	case PCAPNG_INTERFACE:
		out->link = number(p, from, 2);
		out->snap_len = u32(p, from + 4);
		from += 8;
		break;
	case PCAPNG_STATISTICS:
		out->interface = u32(p, from);
		out->time = halves(p, from + 4);
		from += 12;
		break;
	case PCAPNG_PACKET:
		out->interface = u32(p, from);
		out->time = halves(p, from + 4);
		out->captured = u32(p, from + 12);
		out->len = u32(p, from + 16);
		out->bytes = p->bytes + from + 20;
		for (size_t pad = out->captured; pad % 4 != 0; pad++)
			assert_int_equal(out->bytes[pad], 0);
		from += 20 + (out->captured + 3) / 4 * 4;
		break;
	default:
		fail_msg("block of type %#x", (unsigned int)out->type);
	}
	options(p, out, from, end - 4);
	p->at = end;
	return true;
}

uint8_t *
pcapng_file(const char *path, struct pcapng *p)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes;
	long len;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	len = ftell(f);
	assert_true(len >= 0);
	rewind(f);
	bytes = malloc((size_t)len + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)len, f), len);
	fclose(f);
	*p = (struct pcapng){.bytes = bytes, .len = (size_t)len};
	return bytes;
}
