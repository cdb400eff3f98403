/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "fib_places_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_rcu_qsbr.h>

int
fib_places_init(struct fib_places *p, uint32_t max, struct rte_rcu_qsbr *qsbr)
{
	*p = (struct fib_places){
		.qsbr = qsbr,
		.max = max,
		.n_free = max,
		.free = FIB_PLACE_NONE,
		.retired_first = FIB_PLACE_NONE,
		.retired_last = FIB_PLACE_NONE,
		.place = malloc((max + UINT64_C(1)) * sizeof(*p->place)),
	};
	return p->place != NULL ? 0 : -ENOMEM;
}

void
fib_places_fini(struct fib_places *p)
{
	free(p->place);
	p->place = NULL;
}

uint32_t
fib_places_take(struct fib_places *p)
{
	uint32_t place = p->free;

	if (place != FIB_PLACE_NONE)
		p->free = p->place[place].next;
	else if (p->fresh < p->max)
		__atomic_store_n(&p->fresh, (place = p->fresh) + 1, __ATOMIC_RELAXED);
	else
		return FIB_PLACE_NONE;
	p->n_used++;
	p->n_free--;
	return place;
}

static void
give_back(struct fib_places *p, uint32_t place)
{
	p->place[place].next = p->free;
	p->free = place;
	p->n_free++;
}

void
fib_places_retire(struct fib_places *p, uint32_t place)
{
	struct fib_place *e = &p->place[place];

	p->n_used--;
	if (p->qsbr == NULL) {
		give_back(p, place);
		return;
	}
	e->token = rte_rcu_qsbr_start(p->qsbr);
	e->next = FIB_PLACE_NONE;
	if (p->retired_last == FIB_PLACE_NONE)
		p->retired_first = place;
	else
		p->place[p->retired_last].next = place;
	p->retired_last = place;
}

bool
fib_places_reclaim(struct fib_places *p)
{
	while (p->retired_first != FIB_PLACE_NONE) {
		uint32_t place = p->retired_first, next = p->place[place].next;

		if (rte_rcu_qsbr_check(p->qsbr, p->place[place].token, false) != 1)
			return false;
		p->retired_first = next;
		if (next == FIB_PLACE_NONE)
			p->retired_last = FIB_PLACE_NONE;
		give_back(p, place);
	}
	return true;
}
