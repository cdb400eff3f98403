/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_pcap_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base_bytes.h"
#include "base_wall.h"
#include "conf.h"
#include "ctl_frame.h"
#include "port.h"
#include "wire.h"

#include "mgmt_priv.h"
#include "mgmt_view_priv.h"

/* The longest block there is, and as much again, so that writes are large. */
#define BLOCK_MAX (MGMT_PCAP_SNAP_MAX + WIRE_PCAPNG_PACKET_ROOM + WIRE_PCAPNG_TEXT_MAX + 8)
#define BUF_LEN	  (4 * BLOCK_MAX)
/* Room that is kept for the last blocks: one for each interface, one text. */
#define STATISTICS_ROOM 96
#define WHY_ROOM	(WIRE_PCAPNG_TEXT_MAX + 8)

struct counts {
	uint64_t captured, lost;
};

struct mgmt_pcap {
	int fd;
	int error; /* the first one, negative */
	uint64_t max_bytes, bytes, frames;
	uint64_t start_ns;
	uint32_t n_interfaces;
	struct counts *counts;
	size_t n; /* bytes of buf that are not written yet */
	uint8_t buf[BUF_LEN];
};

/* The disk is full in the middle of a block: what is before it is a whole file. */
static void
cut(struct mgmt_pcap *p, size_t done)
{
	size_t whole = 0;

	while (whole + 8 <= done && whole + base_load_be32(p->buf + whole + 4) <= done)
		whole += base_load_be32(p->buf + whole + 4);
	p->bytes = p->bytes - p->n + whole;
	if (ftruncate(p->fd, (off_t)p->bytes) != 0)
		return; /* then readers say that the last block is cut short */
}

int
mgmt_pcap_flush(struct mgmt_pcap *p)
{
	size_t done = 0;

	while (p->error == 0 && done < p->n) {
		ssize_t n = write(p->fd, p->buf + done, p->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			/* EFBIG means our own limit; that of the file system is this */
			p->error = errno == EFBIG ? -ENOSPC : -errno;
		else
			done += (size_t)n;
	}
	if (p->error != 0 && p->n > 0)
		cut(p, done);
	p->n = 0;
	return p->error;
}

static bool
has_room(const struct mgmt_pcap *p)
{
	return BUF_LEN - p->n >= BLOCK_MAX;
}

/* Room for a block. */
static int
reserve(struct mgmt_pcap *p)
{
	return has_room(p) ? p->error : mgmt_pcap_flush(p);
}

static void
append(struct mgmt_pcap *p, size_t len)
{
	p->n += len;
	p->bytes += len;
}

/* Interfaces stay as many as they are, whatever is loaded. */
static void
describe(struct mgmt_pcap *p, const struct mgmt_config *c, uint16_t n_ifs, uint32_t snap_len)
{
	char application[64];

	snprintf(application, sizeof(application), "koi %s", KOI_VERSION);
	append(p, wire_pcapng_section(p->buf, BUF_LEN, application));
	for (uint16_t i = 0; i < n_ifs && reserve(p) == 0; i++) {
		const struct conf *conf = mgmt_file_read(c);

		append(p,
			wire_pcapng_interface(p->buf + p->n, BUF_LEN - p->n, conf->ifs[i].name,
				conf->ifs[i].device, snap_len));
		mgmt_file_read_end(c);
	}
	for (uint16_t i = 0; i < port_set_count(c->ports) && reserve(p) == 0; i++) {
		struct port_info info = {0};

		port_set_info(c->ports, i, &info);
		append(p,
			wire_pcapng_interface(p->buf + p->n, BUF_LEN - p->n, info.device,
				"frames of no interface", snap_len));
	}
}

struct mgmt_pcap *
mgmt_pcap_create(const struct mgmt_config *c, const char *path, uint64_t max_bytes,
	uint32_t snap_len, int *error)
{
	struct mgmt_pcap *p = malloc(sizeof(*p));
	uint16_t n_ifs = mgmt_file_read(c)->n_ifs;

	mgmt_file_read_end(c);
	*error = -ENOMEM;
	if (p == NULL)
		return NULL;
	memset(p, 0, offsetof(struct mgmt_pcap, buf));
	p->fd = -1;
	p->n_interfaces = (uint32_t)n_ifs + port_set_count(c->ports);
	p->counts = calloc(p->n_interfaces + 1u, sizeof(*p->counts));
	if (p->counts == NULL)
		goto fail;
	p->max_bytes = max_bytes;
	p->start_ns = base_wall_ns();
	p->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (p->fd < 0) {
		*error = -errno;
		goto fail;
	}
	describe(p, c, n_ifs, snap_len);
	*error = p->bytes + p->n_interfaces * STATISTICS_ROOM + WHY_ROOM > max_bytes
		? -EFBIG
		: mgmt_pcap_flush(p);
	if (*error == 0)
		return p;
	unlink(path);
fail:
	if (p->fd >= 0)
		close(p->fd);
	free(p->counts);
	free(p);
	return NULL;
}

/* A frame with its tag again, as it is on the wire. */
static const uint8_t *
tagged(uint8_t *to, const uint8_t *bytes, struct wire_pcapng_packet *f, uint16_t vlan)
{
	const size_t macs = 2 * BASE_MAC_LEN;

	memcpy(to, bytes, macs);
	base_store_be16(to + macs, WIRE_ETHERTYPE_VLAN);
	base_store_be16(to + macs + 2, vlan);
	memcpy(to + macs + WIRE_VLAN_TAG_LEN, bytes + macs, f->captured - macs);
	f->captured += WIRE_VLAN_TAG_LEN;
	f->len += WIRE_VLAN_TAG_LEN;
	return to;
}

int
mgmt_pcap_put(struct mgmt_pcap *p, const struct wire_pcapng_packet *frame, const uint8_t *bytes,
	uint16_t vlan)
{
	uint64_t last = (uint64_t)p->n_interfaces * STATISTICS_ROOM + WHY_ROOM;
	struct wire_pcapng_packet f = *frame;
	uint8_t with_tag[CTL_FRAME_BYTES + WIRE_VLAN_TAG_LEN];
	size_t n;

	if (vlan != 0 && f.captured >= 2 * BASE_MAC_LEN && f.captured <= CTL_FRAME_BYTES)
		bytes = tagged(with_tag, bytes, &f, vlan);
	if (p->error != 0 || !has_room(p))
		return p->error != 0 ? p->error : -EAGAIN;
	n = wire_pcapng_packet(p->buf + p->n, BUF_LEN - p->n, &f, bytes);
	if (p->bytes + n + last > p->max_bytes)
		return -EFBIG;
	append(p, n);
	p->frames++;
	if (f.interface < p->n_interfaces)
		p->counts[f.interface].captured++;
	return 0;
}

void
mgmt_pcap_lost(struct mgmt_pcap *p, uint32_t interface, uint64_t n)
{
	if (interface < p->n_interfaces)
		p->counts[interface].lost += n;
}

uint64_t
mgmt_pcap_frames(const struct mgmt_pcap *p)
{
	return p->frames;
}

uint64_t
mgmt_pcap_bytes(const struct mgmt_pcap *p)
{
	return p->bytes;
}

int
mgmt_pcap_close(struct mgmt_pcap *p, const char *why, uint64_t *bytes)
{
	int ret;

	for (uint32_t i = 0; i < p->n_interfaces && reserve(p) == 0; i++) {
		struct wire_pcapng_statistics s = {
			.interface = i,
			.wall_ns = base_wall_ns(),
			.start_ns = p->start_ns,
			.captured = p->counts[i].captured,
			.lost = p->counts[i].lost,
			.comment = i == 0 ? why : NULL,
		};

		s.end_ns = s.wall_ns;
		append(p, wire_pcapng_statistics(p->buf + p->n, BUF_LEN - p->n, &s));
	}
	ret = mgmt_pcap_flush(p);
	if (bytes != NULL)
		*bytes = p->bytes;
	/* Where it is told late that the disk is full. */
	if (close(p->fd) != 0 && ret == 0)
		ret = -errno;
	free(p->counts);
	free(p);
	return ret;
}
