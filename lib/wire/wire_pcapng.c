/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire_pcapng.h"

#include <string.h>

#include "base_bytes.h"

/* Types of blocks. */
#define BLOCK_SECTION	 UINT32_C(0x0a0d0d0a)
#define BLOCK_INTERFACE	 1
#define BLOCK_STATISTICS 5
#define BLOCK_PACKET	 6

#define BYTE_ORDER_MAGIC UINT32_C(0x1a2b3c4d)
#define LINK_ETHERNET	 1

/* Options; a code means something else in each type of block. */
#define OPT_END		    0
#define OPT_COMMENT	    1
#define SECTION_APPLICATION 4
#define IF_NAME		    2
#define IF_DESCRIPTION	    3
#define IF_TSRESOL	    9
#define PACKET_FLAGS	    2
#define STATISTICS_START    2
#define STATISTICS_END	    3
#define STATISTICS_RECEIVED 4
#define STATISTICS_DROPPED  5

#define TSRESOL_NS 9 /* units of 10^-9 s */
#define INBOUND	   1
#define OUTBOUND   2

/* A block that is being written; what does not fit is counted, not written. */
struct out {
	uint8_t *buf;
	size_t cap, len;
};

static uint8_t *
take(struct out *o, size_t n)
{
	uint8_t *p = o->len <= o->cap && n <= o->cap - o->len ? o->buf + o->len : NULL;

	o->len += n;
	return p;
}

static void
put16(struct out *o, uint16_t v)
{
	uint8_t *p = take(o, sizeof(v));

	if (p != NULL)
		base_store_be16(p, v);
}

static void
put32(struct out *o, uint32_t v)
{
	uint8_t *p = take(o, sizeof(v));

	if (p != NULL)
		base_store_be32(p, v);
}

/* A number of 64 bits as times and lengths of sections are: the upper half first. */
static void
put64(struct out *o, uint64_t v)
{
	put32(o, (uint32_t)(v >> 32));
	put32(o, (uint32_t)v);
}

/* With zeros up to a multiple of 4. */
static void
put_bytes(struct out *o, const void *bytes, size_t n)
{
	size_t pad = (4 - n % 4) % 4;
	uint8_t *p = take(o, n + pad);

	if (p == NULL)
		return;
	memcpy(p, bytes, n);
	memset(p + n, 0, pad);
}

static void
put_text(struct out *o, uint16_t code, const char *text)
{
	size_t n = 0;

	while (text != NULL && n < WIRE_PCAPNG_TEXT_MAX && text[n] != '\0')
		n++;
	if (n == 0)
		return;
	put16(o, code);
	put16(o, (uint16_t)n);
	put_bytes(o, text, n);
}

static void
put_count(struct out *o, uint16_t code, uint64_t n)
{
	put16(o, code);
	put16(o, sizeof(n));
	put64(o, n);
}

static struct out
block_begin(uint8_t *buf, size_t cap, uint32_t type)
{
	struct out o = {.buf = buf, .cap = cap};

	put32(&o, type);
	put32(&o, 0); /* the length, once it is known */
	return o;
}

static size_t
block_end(struct out *o)
{
	put16(o, OPT_END);
	put16(o, 0);
	put32(o, (uint32_t)(o->len + 4));
	if (o->len > o->cap)
		return 0;
	base_store_be32(o->buf + 4, (uint32_t)o->len);
	return o->len;
}

size_t
wire_pcapng_section(uint8_t *buf, size_t cap, const char *application)
{
	struct out o = block_begin(buf, cap, BLOCK_SECTION);

	put32(&o, BYTE_ORDER_MAGIC);
	put16(&o, 1); /* version 1.0 */
	put16(&o, 0);
	put64(&o, UINT64_MAX); /* the section's length is not said */
	put_text(&o, SECTION_APPLICATION, application);
	return block_end(&o);
}

size_t
wire_pcapng_interface(
	uint8_t *buf, size_t cap, const char *name, const char *description, uint32_t snap_len)
{
	static const uint8_t resolution = TSRESOL_NS;
	struct out o = block_begin(buf, cap, BLOCK_INTERFACE);

	put16(&o, LINK_ETHERNET);
	put16(&o, 0);
	put32(&o, snap_len);
	put_text(&o, IF_NAME, name);
	put_text(&o, IF_DESCRIPTION, description);
	put16(&o, IF_TSRESOL);
	put16(&o, sizeof(resolution));
	put_bytes(&o, &resolution, sizeof(resolution));
	return block_end(&o);
}

size_t
wire_pcapng_packet(
	uint8_t *buf, size_t cap, const struct wire_pcapng_packet *p, const uint8_t *bytes)
{
	struct out o = block_begin(buf, cap, BLOCK_PACKET);

	put32(&o, p->interface);
	put64(&o, p->wall_ns);
	put32(&o, p->captured);
	put32(&o, p->len);
	put_bytes(&o, bytes, p->captured);
	put_text(&o, OPT_COMMENT, p->comment);
	put16(&o, PACKET_FLAGS);
	put16(&o, 4);
	put32(&o, p->outbound ? OUTBOUND : INBOUND);
	return block_end(&o);
}

size_t
wire_pcapng_statistics(uint8_t *buf, size_t cap, const struct wire_pcapng_statistics *s)
{
	struct out o = block_begin(buf, cap, BLOCK_STATISTICS);

	put32(&o, s->interface);
	put64(&o, s->wall_ns);
	put_text(&o, OPT_COMMENT, s->comment);
	put_count(&o, STATISTICS_START, s->start_ns);
	put_count(&o, STATISTICS_END, s->end_ns);
	put_count(&o, STATISTICS_RECEIVED, s->captured + s->lost);
	put_count(&o, STATISTICS_DROPPED, s->lost);
	return block_end(&o);
}
