/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * lab_probe: a steady stream of numbered echo requests, ICMP or ICMPv6 by the destination, and
 * the time of every answer.
 *
 *   lab_probe DESTINATION [rate_hz [fifo_priority]]
 *
 * Prints one JSON object a line: {"event":"flowing"} at the first answer, {"event":"gap"} when
 * answers come again after more than GAP_EVENT_NS, and on SIGINT or SIGTERM, after waiting for late
 * answers, {"event":"summary"}. A timer of 3.9 ms runs beside it: how late it fires tells how far
 * the other figures of the run can be trusted. Wall-clock times are CLOCK_REALTIME, to be compared
 * with packet timestamps.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S     1000000000LL
#define PROBE_MAX    (1u << 21)	 /* 35 minutes at 1 kHz */
#define GAP_EVENT_NS 20000000LL	 /* worth a line at once */
#define GRACE_NS     300000000LL /* for answers under way at the end */
#define TIMER_NS     3906250LL	 /* 1/256 s, the shortest interval of CARP */
#define TIMER_MAX    (1u << 20)

struct echo {
	struct icmphdr icmp; /* an ICMPv6 echo has the same fields in the same places */
	uint32_t seq;
	uint32_t magic;
	uint8_t pad[40];
};

static struct {
	int fd;
	bool ip6;
	uint16_t id;
	uint32_t magic;
	int64_t period_ns;
	int64_t *sent_ns; /* CLOCK_REALTIME by number; written by the sender */
	int64_t *back_ns; /* 0 = not answered; written by the receiver */
	uint32_t duplicates;
	uint32_t send_errors;
	uint32_t first_errno;
	int64_t *late_ns;
	uint32_t n_late;
	atomic_uint n_sent;
	atomic_bool stop_sending;
	atomic_bool stop_all;
} p;

static int64_t
clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void
sleep_until(int64_t at)
{
	const struct timespec ts = {.tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static uint16_t
checksum(const void *data, size_t len)
{
	const uint8_t *b = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return htons((uint16_t)~sum);
}

static void *
sender(void *arg)
{
	struct echo e = {.icmp = {.type = p.ip6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
				 .un.echo.id = htons(p.id)}};
	int64_t due = clock_ns(CLOCK_MONOTONIC);

	(void)arg;
	e.magic = p.magic;
	for (uint32_t seq = 0; seq < PROBE_MAX; seq++) {
		if (atomic_load_explicit(&p.stop_sending, memory_order_relaxed))
			break;
		e.seq = seq;
		e.icmp.un.echo.sequence = htons((uint16_t)seq);
		e.icmp.checksum = 0;
		/* That of ICMPv6 is the kernel's work: it knows the source address. */
		if (!p.ip6)
			e.icmp.checksum = checksum(&e, sizeof(e));
		p.sent_ns[seq] = clock_ns(CLOCK_REALTIME);
		if (send(p.fd, &e, sizeof(e), MSG_DONTWAIT) < 0 && p.send_errors++ == 0)
			p.first_errno = (uint32_t)errno;
		atomic_store_explicit(&p.n_sent, seq + 1, memory_order_release);
		due += p.period_ns;
		sleep_until(due);
	}
	return NULL;
}

static void *
timer(void *arg)
{
	int64_t due = clock_ns(CLOCK_MONOTONIC) + TIMER_NS;

	(void)arg;
	while (!atomic_load_explicit(&p.stop_all, memory_order_relaxed)) {
		int64_t late;

		sleep_until(due);
		late = clock_ns(CLOCK_MONOTONIC) - due;
		if (p.n_late < TIMER_MAX)
			p.late_ns[p.n_late++] = late;
		/* A late one does not make the next ones late too. */
		due += TIMER_NS * (1 + late / TIMER_NS);
	}
	return NULL;
}

static int64_t
stamp_of(struct msghdr *msg)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec ts;

			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			return ts.tv_sec * NS_PER_S + ts.tv_nsec;
		}
	return clock_ns(CLOCK_REALTIME);
}

/* Number of the request that a packet answers, or -1. */
static int64_t
answered(const uint8_t *pkt, size_t len)
{
	const uint8_t reply = p.ip6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;
	struct echo e;
	size_t ihl;

	if (len < sizeof(struct iphdr))
		return -1;
	/* An IPv6 raw socket delivers what follows the header. */
	ihl = p.ip6 ? 0 : (size_t)(pkt[0] & 15) * 4;
	if (len < ihl + sizeof(e))
		return -1;
	memcpy(&e, pkt + ihl, sizeof(e));
	if (e.icmp.type != reply || e.icmp.un.echo.id != htons(p.id) || e.magic != p.magic)
		return -1;
	if (e.seq >= atomic_load_explicit(&p.n_sent, memory_order_acquire) + 1)
		return -1;
	return e.seq;
}

static void *
receiver(void *arg)
{
	int64_t last = 0;

	(void)arg;
	while (!atomic_load_explicit(&p.stop_all, memory_order_relaxed)) {
		struct pollfd pfd = {.fd = p.fd, .events = POLLIN};
		uint8_t pkt[256];
		uint8_t control[128];
		struct iovec iov = {.iov_base = pkt, .iov_len = sizeof(pkt)};
		struct msghdr msg = {.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t len;
		int64_t seq, at;

		if (poll(&pfd, 1, 50) <= 0)
			continue;
		len = recvmsg(p.fd, &msg, MSG_DONTWAIT);
		if (len < 0)
			continue;
		seq = answered(pkt, (size_t)len);
		if (seq < 0)
			continue;
		at = stamp_of(&msg);
		if (p.back_ns[seq] != 0) {
			p.duplicates++;
			continue;
		}
		p.back_ns[seq] = at;
		if (last == 0)
			printf("{\"event\":\"flowing\",\"at\":%.6f}\n", (double)at / 1e9);
		else if (at - last > GAP_EVENT_NS)
			printf("{\"event\":\"gap\",\"from\":%.6f,\"to\":%.6f,\"ms\":%.3f}\n",
				(double)last / 1e9, (double)at / 1e9, (double)(at - last) / 1e6);
		if (at > last)
			last = at;
		fflush(stdout);
	}
	return NULL;
}

static int
cmp_i64(const void *a, const void *b)
{
	int64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static double
quantile_ms(const int64_t *sorted, uint32_t n, double q)
{
	uint32_t i = (uint32_t)(q * n);

	if (n == 0)
		return 0;
	return (double)sorted[i < n ? i : n - 1] / 1e6;
}

static void
summary(void)
{
	uint32_t n = atomic_load(&p.n_sent), lost = 0, n_rtt = 0, runs = 0, run = 0,
		 longest_run = 0;
	int64_t prev = 0, gap = 0, gap_from = 0, gap_to = 0, run_from = 0;
	int64_t *rtt = calloc(n + 1, sizeof(*rtt));
	bool comma = false;

	if (rtt == NULL)
		return;
	printf("{\"event\":\"summary\",\"runs\":[");
	for (uint32_t i = 0; i <= n; i++) {
		if (i < n && p.back_ns[i] == 0) {
			if (run++ == 0)
				run_from = p.sent_ns[i];
			lost++;
			continue;
		}
		/* The end of the stream is no outage, but its packets are lost. */
		if (run > 0 && runs++ < 100) {
			printf("%s{\"first\":%u,\"n\":%u,\"from\":%.6f,\"to\":%.6f}",
				comma ? "," : "", i - run, run, (double)run_from / 1e9,
				(double)p.sent_ns[i - 1] / 1e9);
			comma = true;
		}
		if (run > longest_run)
			longest_run = run;
		run = 0;
		if (i == n)
			break;
		rtt[n_rtt++] = p.back_ns[i] - p.sent_ns[i];
		if (prev != 0 && p.back_ns[i] - prev > gap) {
			gap = p.back_ns[i] - prev;
			gap_from = prev;
			gap_to = p.back_ns[i];
		}
		if (p.back_ns[i] > prev)
			prev = p.back_ns[i];
	}
	qsort(rtt, n_rtt, sizeof(*rtt), cmp_i64);
	qsort(p.late_ns, p.n_late, sizeof(*p.late_ns), cmp_i64);
	printf("],\"sent\":%u,\"answered\":%u,\"lost\":%u,\"duplicates\":%u,\"longest_run\":%u,", n,
		n_rtt, lost, p.duplicates, longest_run);
	printf("\"send_errors\":%u,\"first_errno\":%u,", p.send_errors, p.first_errno);
	printf("\"gap_ms\":%.3f,\"gap_from\":%.6f,\"gap_to\":%.6f,", (double)gap / 1e6,
		(double)gap_from / 1e9, (double)gap_to / 1e9);
	printf("\"rtt_ms\":{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f},", quantile_ms(rtt, n_rtt, 0.5),
		quantile_ms(rtt, n_rtt, 0.99), quantile_ms(rtt, n_rtt, 1));
	printf("\"timer_late_ms\":{\"n\":%u,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}}\n",
		p.n_late, quantile_ms(p.late_ns, p.n_late, 0.5),
		quantile_ms(p.late_ns, p.n_late, 0.99), quantile_ms(p.late_ns, p.n_late, 0.999),
		quantile_ms(p.late_ns, p.n_late, 1));
	fflush(stdout);
	free(rtt);
}

/* @return a raw socket connected to an address of either family, or -1 with errno set */
static int
connect_socket(const char *destination)
{
	struct sockaddr_in to4 = {.sin_family = AF_INET};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
	const struct sockaddr *to = (const struct sockaddr *)&to4;
	socklen_t len = sizeof(to4);
	int fd, ret;

	if (inet_pton(AF_INET6, destination, &to6.sin6_addr) == 1) {
		p.ip6 = true;
		to = (const struct sockaddr *)&to6;
		len = sizeof(to6);
	} else if (inet_pton(AF_INET, destination, &to4.sin_addr) != 1) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(to->sa_family, SOCK_RAW | SOCK_CLOEXEC, p.ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (fd < 0)
		return -1;
	ret = connect(fd, to, len);
	if (ret == 0 && p.ip6) {
		struct icmp6_filter filter;

		ICMP6_FILTER_SETBLOCKALL(&filter);
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
		ret = setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
	}
	if (ret != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
open_socket(const char *destination)
{
	const int on = 1, buf = 4 << 20;
	int fd = connect_socket(destination);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0) {
		fprintf(stderr, "lab_probe: %s: %s\n", destination, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buf, sizeof(buf));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buf, sizeof(buf));
	return fd;
}

static int
start(pthread_t *t, void *(*fn)(void *), int fifo)
{
	pthread_attr_t attr;
	struct sched_param sp = {.sched_priority = fifo};
	int ret;

	pthread_attr_init(&attr);
	if (fifo > 0) {
		pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
		pthread_attr_setschedparam(&attr, &sp);
	}
	ret = pthread_create(t, &attr, fn, NULL);
	if (ret == EPERM)
		ret = pthread_create(t, NULL, fn, NULL);
	pthread_attr_destroy(&attr);
	return ret;
}

int
main(int argc, char **argv)
{
	pthread_t threads[3];
	sigset_t set;
	long rate, fifo;
	int sig;

	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: lab_probe DESTINATION [rate_hz [fifo_priority]]\n");
		return 2;
	}
	rate = argc > 2 ? strtol(argv[2], NULL, 10) : 1000;
	fifo = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
	if (rate < 1 || rate > 100000 || fifo < 0 || fifo > 50) {
		fprintf(stderr, "lab_probe: rate 1..100000, fifo priority 0..50\n");
		return 2;
	}
	p.period_ns = NS_PER_S / rate;
	p.id = (uint16_t)getpid();
	p.magic = (uint32_t)clock_ns(CLOCK_MONOTONIC);
	p.sent_ns = calloc(PROBE_MAX, sizeof(*p.sent_ns));
	p.back_ns = calloc(PROBE_MAX, sizeof(*p.back_ns));
	p.late_ns = calloc(TIMER_MAX, sizeof(*p.late_ns));
	p.fd = open_socket(argv[1]);
	if (p.fd < 0 || p.sent_ns == NULL || p.back_ns == NULL || p.late_ns == NULL)
		return 1;
	(void)prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (start(&threads[0], receiver, (int)fifo) != 0 || start(&threads[1], timer, 0) != 0 ||
		start(&threads[2], sender, (int)fifo) != 0) {
		fprintf(stderr, "lab_probe: cannot start threads\n");
		return 1;
	}
	(void)sigwait(&set, &sig);
	atomic_store(&p.stop_sending, true);
	pthread_join(threads[2], NULL);
	sleep_until(clock_ns(CLOCK_MONOTONIC) + GRACE_NS);
	atomic_store(&p.stop_all, true);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	summary();
	return 0;
}
