/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * lab_tag: an interface of a VLAN for kernels without 8021q.
 *
 *   lab_tag INTERFACE VLAN TAP
 *
 * Makes the tap device TAP, with a MAC of its own. What the kernel sends by it leaves by INTERFACE
 * with the tag; frames with the tag that come in by INTERFACE are handed to it without. Prints
 * "ready" once it works, and ends when it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TAG_LEN	  4
#define FRAME_MAX 16384

static int
die(const char *what)
{
	fprintf(stderr, "lab_tag: %s: %s\n", what, strerror(errno));
	return 1;
}

static int
tap_open(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
wire_open(const char *name)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	struct packet_mreq all = {.mr_ifindex = at.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
	int on = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || at.sll_ifindex == 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) != 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) != 0 ||
		bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		return -1;
	return fd;
}

/* The kernel takes tags out of frames and tells them beside. @return the tag, or -1 */
static int
tag_beside(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		return (aux.tp_status & TP_STATUS_VLAN_VALID) != 0 ? aux.tp_vlan_tci & 0xfff : -1;
	}
	return -1;
}

static void
from_wire(int wire, int tap, int vlan)
{
	static uint8_t frame[FRAME_MAX];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct sockaddr_ll from;
	struct iovec iov = {frame, sizeof(frame)};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(wire, &msg, 0);

	if (n < ETH_HLEN || from.sll_pkttype == PACKET_OUTGOING || tag_beside(&msg) != vlan)
		return;
	/* One that the tap has no room for is lost, as on any interface. */
	if (write(tap, frame, (size_t)n) < 0)
		return;
}

static void
from_tap(int tap, int wire, int vlan)
{
	static uint8_t frame[FRAME_MAX + TAG_LEN];
	const uint8_t tag[TAG_LEN] = {0x81, 0x00, (uint8_t)(vlan >> 8), (uint8_t)vlan};
	ssize_t n = read(tap, frame + TAG_LEN, FRAME_MAX);

	if (n < ETH_HLEN)
		return;
	memmove(frame, frame + TAG_LEN, 2 * ETH_ALEN);
	memcpy(frame + 2 * ETH_ALEN, tag, sizeof(tag));
	if (send(wire, frame, (size_t)n + TAG_LEN, 0) < 0)
		return;
}

int
main(int argc, char **argv)
{
	int tap, wire, vlan = argc == 4 ? atoi(argv[2]) : 0;

	if (argc != 4 || vlan < 1 || vlan > 4094) {
		fprintf(stderr, "usage: lab_tag INTERFACE VLAN TAP\n");
		return 2;
	}
	tap = tap_open(argv[3]);
	if (tap < 0)
		return die(argv[3]);
	wire = wire_open(argv[1]);
	if (wire < 0)
		return die(argv[1]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd fds[2] = {
			{.fd = tap, .events = POLLIN}, {.fd = wire, .events = POLLIN}};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return die("poll");
		if (fds[0].revents & POLLIN)
			from_tap(tap, wire, vlan);
		if (fds[1].revents & POLLIN)
			from_wire(wire, tap, vlan);
	}
}
