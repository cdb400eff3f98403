/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Making and unmaking the data plane, and what the control lcore may change while it runs.
 */
#include "dp_capture_priv.h"
#include "dp_eight_priv.h"
#include "dp_host_priv.h"
#include "dp_priv.h"

#include <errno.h>

#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <rte_random.h>

#define MTU_MIN	   68 /* RFC 791 */
#define ASKS_PER_S 100

uint16_t
dp_meta_size(void)
{
	/* Whole lines, so that frames begin at one, and the headers of most are in one. */
	return RTE_ALIGN_CEIL((uint16_t)sizeof(struct dp_meta), (uint16_t)RTE_CACHE_LINE_SIZE);
}

static const struct dp_port_config *
config_port(const struct dp_config *c, uint16_t port_id)
{
	for (uint16_t i = 0; i < c->n_ports; i++)
		if (c->ports[i].port_id == port_id)
			return &c->ports[i];
	return NULL;
}

static bool
config_ports_ok(const struct dp_config *c)
{
	for (uint16_t i = 0; i < c->n_ports; i++) {
		const struct dp_port_config *p = &c->ports[i];

		if (p->port_id >= RTE_MAX_ETHPORTS || p->n_txq == 0 ||
			config_port(c, p->port_id) != p)
			return false;
	}
	for (uint16_t i = 0; i < c->n_ifs; i++) {
		if (config_port(c, c->ifs[i].port_id) == NULL || c->ifs[i].mtu < MTU_MIN ||
			c->ifs[i].vlan > DP_VLAN_MAX)
			return false;
		for (uint16_t j = 0; j < i; j++)
			if (c->ifs[j].port_id == c->ifs[i].port_id &&
				c->ifs[j].vlan == c->ifs[i].vlan)
				return false;
	}
	return true;
}

/* A receive queue has one worker, a worker's queues are of known ports. */
static bool
config_workers_ok(const struct dp_config *c)
{
	for (uint16_t w = 0; w < c->n_workers; w++) {
		for (uint16_t q = 0; q < c->workers[w].n_rxq; q++) {
			const struct dp_queue *a = &c->workers[w].rxq[q];

			if (config_port(c, a->port_id) == NULL || a->n_desc == 0)
				return false;
			for (uint16_t v = 0; v <= w; v++) {
				uint16_t n = v == w ? q : c->workers[v].n_rxq;

				for (uint16_t r = 0; r < n; r++) {
					const struct dp_queue *b = &c->workers[v].rxq[r];

					if (a->port_id == b->port_id && a->queue == b->queue)
						return false;
				}
			}
		}
	}
	return true;
}

static bool
config_ok(const struct dp_config *c)
{
	return c->n_workers >= 1 && c->n_workers <= DP_WORKER_MAX && c->n_ports <= DP_PORT_MAX &&
		c->n_ifs <= DP_IF_MAX && c->n_groups <= DP_GROUP_MAX && c->pool != NULL &&
		rte_pktmbuf_priv_size(c->pool) >= dp_meta_size() && config_ports_ok(c) &&
		config_workers_ok(c);
}

static void
ports_init(struct dp *dp, const struct dp_config *c)
{
	memset(dp->slot_of_port, UINT8_MAX, sizeof(dp->slot_of_port));
	for (uint16_t i = 0; i < c->n_ports; i++) {
		struct dp_port *p = &dp->ports[i];

		p->port_id = c->ports[i].port_id;
		p->n_txq = c->ports[i].n_txq;
		p->control_txq = c->ports[i].control_txq;
		p->vlan_insert = c->ports[i].vlan_insert;
		p->nudge = c->ports[i].nudge;
		p->if_index = DP_NONE;
		atomic_init(&p->link_up, true);
		dp->slot_of_port[p->port_id] = (uint8_t)i;
	}
}

static void
ifs_init(struct dp *dp, const struct dp_config *c)
{
	uint8_t mac[8] = {0};

	for (uint16_t i = 0; i < c->n_ifs; i++) {
		struct dp_if *f = &dp->ifs[i];

		f->index = i;
		f->slot = dp->slot_of_port[c->ifs[i].port_id];
		f->vlan = c->ifs[i].vlan;
		f->mtu = c->ifs[i].mtu;
		f->host = c->ifs[i].host;
		memcpy(f->mac, c->ifs[i].mac, BASE_MAC_LEN);
		memcpy(mac, f->mac, BASE_MAC_LEN);
		f->mac_word = dp_mac_word(mac);
		if (c->ifs[i].vlan == 0)
			dp->ports[f->slot].if_index = i;
	}
}

static struct dp_lcore *
lcore_create(
	struct dp *dp, uint16_t id, const struct dp_worker_config *w, const struct dp_config *c)
{
	int socket_id = w != NULL ? w->socket_id : SOCKET_ID_ANY;
	size_t ring_bytes = (size_t)rte_ring_get_memsize(DP_HANDOFF_RING_SLOTS);
	struct dp_lcore *lc =
		rte_zmalloc_socket("koi_lcore", sizeof(*lc), RTE_CACHE_LINE_SIZE, socket_id);

	if (lc == NULL)
		return NULL;
	dp->lcores[id] = lc;
	lc->dp = dp;
	lc->id = id;
	lc->src = &dp->sources[id];
	lc->roster = dp_roster_now(dp);
	lc->nudge_at = BASE_NS_NEVER;
	lc->flow_seed = c->flow_seed;
	for (uint16_t i = 0; id == 0 && i < dp->n_ports; i++)
		lc->nudge_at = dp->ports[i].nudge ? 0 : lc->nudge_at;
	for (unsigned int e = 0; e < DP_ERROR_COUNT; e++) {
		dp_bucket_init(&lc->icmp[e], c->icmp_errors_per_s);
		dp_bucket_init(&lc->icmp6[e], c->icmp_errors_per_s);
	}
	dp_bucket_init(&lc->asks, ASKS_PER_S);
#ifdef DP_HAVE_EIGHT
	lc->eights = dp_eight_usable();
#endif
	if (w == NULL)
		return lc;

	lc->n_rxq = w->n_rxq;
	lc->info.n_rxq = w->n_rxq;
	lc->routers = rte_zmalloc_socket(
		"koi_routers", sizeof(*lc->routers) * FIB_NUMBERS, RTE_CACHE_LINE_SIZE, socket_id);
	lc->tx = rte_zmalloc_socket("koi_tx", sizeof(*lc->tx) * (dp->n_ports + UINT64_C(1)),
		RTE_CACHE_LINE_SIZE, socket_id);
	lc->rxq = rte_zmalloc_socket("koi_rxq", sizeof(*lc->rxq) * (w->n_rxq + UINT64_C(1)),
		RTE_CACHE_LINE_SIZE, socket_id);
	lc->handoff = rte_zmalloc_socket("koi_handoff", ring_bytes, RTE_CACHE_LINE_SIZE, socket_id);
	if (lc->routers == NULL || lc->tx == NULL || lc->rxq == NULL || lc->handoff == NULL)
		return NULL;
	/*
	 * Relaxed tail: a producer that the kernel took off its CPU in the middle must not make the
	 * others, the control lcore among them, wait for it.
	 */
	if (rte_ring_init(lc->handoff, "koi_handoff", DP_HANDOFF_RING_SLOTS,
		    RING_F_MP_RTS_ENQ | RING_F_SC_DEQ) != 0)
		return NULL;
	for (uint16_t i = 0; i < w->n_rxq; i++) {
		struct dp_rxq *q = &lc->rxq[i];

		q->port_id = w->rxq[i].port_id;
		q->queue = w->rxq[i].queue;
		q->n_desc = w->rxq[i].n_desc;
		q->slot = dp->slot_of_port[q->port_id];
		lc->polls |= UINT64_C(1) << q->slot;
	}
	return lc;
}

static void
lcore_destroy(struct dp_lcore *lc)
{
	void *m;

	if (lc == NULL)
		return;
	while (lc->handoff != NULL && rte_ring_sc_dequeue(lc->handoff, &m) == 0)
		rte_pktmbuf_free(m);
	rte_free(lc->handoff);
	rte_free(lc->rxq);
	rte_free(lc->tx);
	rte_free(lc->routers);
	rte_free(lc);
}

static int
lcores_create(struct dp *dp, const struct dp_config *c)
{
	size_t qsbr_bytes = rte_rcu_qsbr_get_memsize(c->n_workers + 1U);

	dp->qsbr = rte_zmalloc("koi_qsbr", qsbr_bytes, RTE_CACHE_LINE_SIZE);
	if (dp->qsbr == NULL || rte_rcu_qsbr_init(dp->qsbr, c->n_workers + 1U) != 0)
		return -ENOMEM;
	/* The control lcore: on line only while it looks something up. */
	(void)rte_rcu_qsbr_thread_register(dp->qsbr, c->n_workers);
	for (uint16_t w = 0; w <= c->n_workers; w++) {
		bool worker = w < c->n_workers;

		if (lcore_create(dp, w, worker ? &c->workers[w] : NULL, c) == NULL ||
			dp_source_init(dp, &dp->sources[w], worker,
				worker ? c->workers[w].socket_id : SOCKET_ID_ANY) != 0)
			return -ENOMEM;
	}
	return 0;
}

struct dp *
dp_create(const struct dp_config *c)
{
	struct dp_roster *roster;
	struct dp *dp;
	int ret = ENOMEM;

	if (!config_ok(c)) {
		errno = EINVAL;
		return NULL;
	}
	dp = rte_zmalloc("koi_dp", sizeof(*dp), RTE_CACHE_LINE_SIZE);
	if (dp == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	dp->n_workers = c->n_workers;
	dp->n_ports = c->n_ports;
	dp->n_ifs = c->n_ifs;
	dp->n_groups = c->n_groups;
	dp->idle = c->idle;
	dp->pool = c->pool;
	dp->n_bits[DP_SET_ADVERTS] = (uint32_t)c->n_groups + c->n_ifs;
	dp->n_bits[DP_SET_PUNTS] = c->n_groups + DP_IF_PUNT_RINGS * (uint32_t)c->n_ifs;
	dp->n_rings[DP_SET_ADVERTS] = dp->n_bits[DP_SET_ADVERTS] + c->n_groups;
	dp->n_rings[DP_SET_PUNTS] = dp->n_bits[DP_SET_PUNTS];
	for (unsigned int s = 0; s < DP_SET_COUNT; s++)
		dp->n_words[s] = (dp->n_bits[s] + 63) / 64;
	dp->seed = rte_rand();
	dp->ifs = rte_zmalloc(
		"koi_if", sizeof(*dp->ifs) * (c->n_ifs + UINT64_C(1)), RTE_CACHE_LINE_SIZE);
	dp->slots = rte_zmalloc(
		"koi_slot", sizeof(*dp->slots) * (c->n_groups + UINT64_C(1)), RTE_CACHE_LINE_SIZE);
	if (dp->ifs == NULL || dp->slots == NULL)
		goto fail;
	ports_init(dp, c);
	ifs_init(dp, c);
	roster = dp_roster_prepare(dp, c->ifs, c->groups, c->n_groups);
	if (roster == NULL) {
		ret = errno;
		goto fail;
	}
	atomic_init(&dp->roster, roster);
	if (dp_vlan_init(dp, c) != 0 || lcores_create(dp, c) != 0 || dp_host_init(dp, c) != 0)
		goto fail;
	return dp;

fail:
	dp_destroy(dp);
	errno = ret;
	return NULL;
}

void
dp_destroy(struct dp *dp)
{
	if (dp == NULL)
		return;
	dp_host_free(dp);
	dp_capture_free(dp);
	for (uint16_t w = 0; w <= dp->n_workers; w++) {
		dp_source_free(dp, &dp->sources[w]);
		lcore_destroy(dp->lcores[w]);
	}
	rte_free(dp->qsbr);
	rte_free(dp->vlans);
	rte_free(dp_roster_now(dp));
	rte_free(dp->slots);
	rte_free(dp->ifs);
	rte_free(dp);
}

struct rte_rcu_qsbr *
dp_qsbr(struct dp *dp)
{
	return dp->qsbr;
}

void
dp_set_tables(struct dp *dp, const struct fib *fib, const struct fib_nbr_table *nbr)
{
	atomic_store_explicit(&dp->fib, fib, memory_order_release);
	atomic_store_explicit(&dp->nbr, nbr, memory_order_release);
}

/* Next hops are remembered with the source of frames to them: it is forgotten at the next turn. */
static void
states_changed(struct dp *dp)
{
	atomic_fetch_add_explicit(&dp->states, 1, memory_order_release);
}

void
dp_own(struct dp *dp, uint16_t group, bool owned)
{
	const struct dp_group *g = &dp_roster_now(dp)->groups[group];
	_Atomic uint64_t *word = &dp->ifs[g->if_index].owned[g->vhid / 64];
	uint64_t bit = UINT64_C(1) << (g->vhid % 64);
	uint64_t now = atomic_load_explicit(word, memory_order_relaxed);

	if (g->vhid == 0)
		return; /* nobody's vMAC */
	/* The control lcore is the only writer, so that a plain store of the word will do. */
	atomic_store_explicit(word, owned ? now | bit : now & ~bit, memory_order_release);
	states_changed(dp);
}

void
dp_answer(struct dp *dp, uint16_t group, bool answering)
{
	atomic_store_explicit(&dp->slots[group].answering, answering, memory_order_release);
	states_changed(dp);
}

static struct dp_port *
port_of(struct dp *dp, uint16_t port_id)
{
	if (port_id >= RTE_MAX_ETHPORTS || dp->slot_of_port[port_id] == UINT8_MAX)
		return NULL;
	return &dp->ports[dp->slot_of_port[port_id]];
}

void
dp_link(struct dp *dp, uint16_t port_id, bool up)
{
	struct dp_port *p = port_of(dp, port_id);

	if (p != NULL)
		atomic_store_explicit(&p->link_up, up, memory_order_release);
}

/* Workers forget next hops with that, and find none by an interface that is down. */
void
dp_if_set(struct dp *dp, uint16_t if_index, bool up)
{
	atomic_store_explicit(&dp->ifs[if_index].down, !up, memory_order_release);
	states_changed(dp);
}

bool
dp_if_is_up(const struct dp *dp, uint16_t if_index)
{
	return !dp_if_down(&dp->ifs[if_index]);
}

void
dp_attach(struct dp *dp, uint16_t port_id, bool attached)
{
	struct dp_port *p = port_of(dp, port_id);

	if (p == NULL)
		return;
	if (!attached)
		atomic_store_explicit(&p->link_up, false, memory_order_release);
	atomic_store_explicit(&p->detached, !attached, memory_order_release);
	p->detach_token = attached ? 0 : rte_rcu_qsbr_start(dp->qsbr);
}

bool
dp_detached(struct dp *dp, uint16_t port_id)
{
	const struct dp_port *p = port_of(dp, port_id);

	return p != NULL && p->detach_token != 0 &&
		rte_rcu_qsbr_check(dp->qsbr, p->detach_token, false) == 1;
}
