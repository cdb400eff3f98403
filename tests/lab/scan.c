/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * lab_scan: a host that looks for others, or asks without end, in a burst each millisecond.
 *
 *   lab_scan INTERFACE echo RATE_HZ MAC SOURCE PREFIX/LENGTH   echo requests to random addresses
 *   lab_scan INTERFACE ask RATE_HZ MAC TARGET PREFIX/LENGTH    ARP requests or solicitations for
 *                                                              TARGET from random addresses
 *
 * Frames go to MAC. Prints what pace_run() prints.
 */
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "pace.h"

#define FRAME_MAX 94 /* with the two bytes before it a multiple of 8 */

struct scan {
	bool six, ask;
	uint8_t mac[ETH_ALEN], own_mac[ETH_ALEN];
	uint8_t address[16], prefix[16]; /* an IPv4 one in the first four */
	unsigned int prefix_len;
	uint64_t random;
};

/* What follows an Ethernet header is aligned. */
static _Alignas(8) uint8_t frames[PACE_BURST_MAX][2 + FRAME_MAX];

/* xorshift: which hosts are tried is the same in each run. */
static uint64_t
draw(struct scan *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random;
}

/* Some address of the prefix. */
static void
draw_address(struct scan *s, uint8_t *out)
{
	size_t len = s->six ? 16 : 4;

	for (size_t i = 0; i < len; i++) {
		unsigned int fixed =
			s->prefix_len > 8 * i ? s->prefix_len - 8 * (unsigned int)i : 0;
		uint8_t mask = (uint8_t)(fixed >= 8 ? 0xffU : 0xff00U >> fixed);
		uint8_t random = (uint8_t)(draw(s) >> 24);

		out[i] = (uint8_t)(s->prefix[i] & mask) | (uint8_t)(random & (uint8_t)~mask);
	}
}

static uint16_t
sum(const void *data, size_t len, uint32_t start)
{
	const uint8_t *p = data;
	uint32_t v = start;

	for (size_t i = 0; i + 1 < len; i += 2)
		v += (uint32_t)p[i] << 8 | p[i + 1];
	while (v >> 16)
		v = (v & 0xffff) + (v >> 16);
	return (uint16_t)~v;
}

static size_t
echo4(struct scan *s, uint8_t *p)
{
	struct iphdr *ip = (void *)p;
	struct icmphdr *icmp = (void *)(p + sizeof(*ip));
	size_t len = sizeof(*ip) + sizeof(*icmp);

	*ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_ICMP};
	ip->tot_len = htons((uint16_t)len);
	memcpy(&ip->saddr, s->address, 4);
	draw_address(s, (uint8_t *)&ip->daddr);
	ip->check = htons(sum(ip, sizeof(*ip), 0));
	*icmp = (struct icmphdr){.type = ICMP_ECHO};
	icmp->checksum = htons(sum(icmp, sizeof(*icmp), 0));
	return len;
}

/* The IPv6 header, and the checksum of the message of len bytes behind it. */
static size_t
finish6(uint8_t *p, size_t len, uint8_t hops)
{
	struct ip6_hdr *ip = (void *)p;
	struct icmp6_hdr *icmp = (void *)(p + sizeof(*ip));
	uint32_t pseudo = IPPROTO_ICMPV6 + (uint32_t)len;

	ip->ip6_flow = htonl(6U << 28);
	ip->ip6_plen = htons((uint16_t)len);
	ip->ip6_nxt = IPPROTO_ICMPV6;
	ip->ip6_hlim = hops;
	pseudo += (uint16_t)~sum(p + 8, 32, 0);
	icmp->icmp6_cksum = htons(sum(icmp, len, pseudo));
	return sizeof(*ip) + len;
}

static size_t
echo6(struct scan *s, uint8_t *p)
{
	struct icmp6_hdr *icmp = (void *)(p + sizeof(struct ip6_hdr));

	memcpy(p + 8, s->address, 16);
	draw_address(s, p + 24);
	*icmp = (struct icmp6_hdr){.icmp6_type = ICMP6_ECHO_REQUEST};
	return finish6(p, sizeof(*icmp), 64);
}

static size_t
ask4(struct scan *s, uint8_t *p)
{
	struct ether_arp *arp = (void *)p;

	arp->arp_hrd = htons(ARPHRD_ETHER);
	arp->arp_pro = htons(ETHERTYPE_IP);
	arp->arp_hln = ETH_ALEN;
	arp->arp_pln = 4;
	arp->arp_op = htons(ARPOP_REQUEST);
	memcpy(arp->arp_sha, s->own_mac, ETH_ALEN);
	draw_address(s, arp->arp_spa);
	memcpy(arp->arp_tpa, s->address, 4);
	return sizeof(*arp);
}

static size_t
ask6(struct scan *s, uint8_t *p)
{
	struct nd_neighbor_solicit *ns = (void *)(p + sizeof(struct ip6_hdr));
	uint8_t *option = (uint8_t *)(ns + 1);

	draw_address(s, p + 8);
	memcpy(p + 24, s->address, 16);
	ns->nd_ns_type = ND_NEIGHBOR_SOLICIT;
	memcpy(&ns->nd_ns_target, s->address, 16);
	option[0] = ND_OPT_SOURCE_LINKADDR;
	option[1] = 1;
	memcpy(option + 2, s->own_mac, ETH_ALEN);
	return finish6(p, sizeof(*ns) + 8, 255);
}

static size_t
build(struct scan *s, uint8_t *frame)
{
	struct ether_header *eth = (void *)frame;
	uint8_t *p = frame + sizeof(*eth);
	uint16_t type = s->six ? ETHERTYPE_IPV6 : s->ask ? ETHERTYPE_ARP : ETHERTYPE_IP;

	memset(frame, 0, FRAME_MAX);
	memcpy(eth->ether_dhost, s->mac, ETH_ALEN);
	memcpy(eth->ether_shost, s->own_mac, ETH_ALEN);
	eth->ether_type = htons(type);
	if (s->six)
		return sizeof(*eth) + (s->ask ? ask6(s, p) : echo6(s, p));
	return sizeof(*eth) + (s->ask ? ask4(s, p) : echo4(s, p));
}

static void
build_burst(void *arg, struct iovec *iov, size_t n, uint64_t number)
{
	struct scan *s = arg;

	(void)number;
	for (size_t i = 0; i < n; i++)
		iov[i] = (struct iovec){
			.iov_base = frames[i] + 2, .iov_len = build(s, frames[i] + 2)};
}

static int
open_socket(struct scan *s, const char *interface)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET};
	struct ifreq req = {0};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;

	at.sll_ifindex = (int)if_nametoindex(interface);
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", interface);
	if (fd < 0 || at.sll_ifindex == 0 || ioctl(fd, SIOCGIFHWADDR, &req) != 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) != 0 ||
		bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		return -1;
	memcpy(s->own_mac, req.ifr_hwaddr.sa_data, ETH_ALEN);
	return fd;
}

static bool
parse(struct scan *s, char **argv, long *rate)
{
	char *slash = strchr(argv[6], '/');

	s->ask = strcmp(argv[2], "ask") == 0;
	s->six = strchr(argv[5], ':') != NULL;
	*rate = strtol(argv[3], NULL, 10);
	if ((!s->ask && strcmp(argv[2], "echo") != 0) || slash == NULL || *rate < 1 ||
		*rate > PACE_RATE_MAX)
		return false;
	*slash = 0;
	s->prefix_len = (unsigned int)atoi(slash + 1);
	return sscanf(argv[4], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &s->mac[0], &s->mac[1], &s->mac[2],
		       &s->mac[3], &s->mac[4], &s->mac[5]) == ETH_ALEN &&
		inet_pton(s->six ? AF_INET6 : AF_INET, argv[5], s->address) == 1 &&
		inet_pton(s->six ? AF_INET6 : AF_INET, argv[6], s->prefix) == 1 &&
		s->prefix_len <= (s->six ? 128U : 32U);
}

int
main(int argc, char **argv)
{
	static struct iovec iov[PACE_BURST_MAX];
	struct scan s = {.random = UINT64_C(0x9e3779b97f4a7c15)};
	long rate;
	int fd;

	if (argc != 7 || !parse(&s, argv, &rate)) {
		fprintf(stderr,
			"usage: lab_scan INTERFACE echo|ask RATE_HZ MAC ADDRESS PREFIX/LENGTH\n");
		return 2;
	}
	fd = open_socket(&s, argv[1]);
	if (fd < 0) {
		fprintf(stderr, "lab_scan: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	pace_run(fd, rate, iov, build_burst, &s);
	return 0;
}
