/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The box of bench_control: data and control plane on devices made of rings, and its peers. */
#ifndef BENCH_CONTROL_BOX_H
#define BENCH_CONTROL_BOX_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_mempool.h>
#include <rte_ring.h>

#include "auth.h"
#include "base_rand.h"
#include "conf.h"
#include "ctl.h"
#include "dp.h"
#include "fib.h"
#include "fib_nbr.h"
#include "wire.h"

#define N_DESC	 1024
#define IFS_MAX	 8
#define FORGED	 4096
#define LAT_MAX	 (1 << 16)
#define DATA_LEN 60

struct peer {
	struct auth_group *auth;
	uint64_t counter;
	base_ns_t due, waits_since; /* 0: nothing under way */
	uint64_t sent, heard, heard_before;
	uint16_t if_index, group;
	uint8_t vhid;
	bool silent;	     /* this box is to become master */
	base_ns_t last_sent; /* by this box; 0: never */
};

struct latency {
	uint32_t n;
	double us[LAT_MAX];
};

struct bench {
	uint16_t n_ifs, n_groups;
	struct conf *conf;
	struct dp *dp;
	struct fib_nbr_table *nbr;
	struct ctl *ctl;
	struct rte_mempool *pool;
	uint16_t port[IFS_MAX];
	uint16_t n_rxq; /* of each port; the last one is for adverts */
	base_ns_t step_ns;
	struct rte_ring *rx[IFS_MAX][2], *tx[IFS_MAX][2];
	struct peer peers[DP_GROUP_MAX];
	uint8_t forged[FORGED][WIRE_CARP4_FRAME_LEN];
	struct base_rand rand;
	base_ns_t now, worker_ns, control_ns;
	uint64_t queue_full;
	struct latency attacked, others;
	/* Of adverts that this box sent: how much later than an interval after the one before. */
	struct latency late;
	uint8_t data[DATA_LEN];
	struct fib *fib;
};

extern struct bench bench;

/* Ends the program when something is not as it has to be. */
static inline void
must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bench_control: %s\n", what);
		exit(1);
	}
}

/* Where the peer on an interface sends from. */
uint32_t source_of(uint16_t if_index);

/* All of it, for so many groups on so many interfaces; bench.n_rxq and who is silent are set. */
void bench_build(uint16_t n_ifs, uint16_t n_groups);

#endif
