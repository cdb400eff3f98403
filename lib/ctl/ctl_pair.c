/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "ctl_pair.h"

#include <string.h>

bool
ctl_pair_is_second(struct ctl_told *told, const struct ctl_advert *a, enum auth_identity which,
	base_ns_t interval, base_ns_t now)
{
	struct ctl_told *t = told;
	bool alike = false;

	/* where there is none like it the oldest makes room */
	for (unsigned int i = 0; i < CTL_TOLD_MAX && !alike; i++) {
		alike = told[i].alone > 0 && memcmp(&told[i].src, &a->src, sizeof(a->src)) == 0 &&
			memcmp(&told[i].prio, &a->prio, sizeof(a->prio)) == 0 &&
			base_ns_since(now, told[i].at) < interval / 2;
		if (alike || told[i].at < t->at)
			t = &told[i];
	}
	if (alike && t->which != which) {
		t->alone--;
		return true;
	}
	*t = (struct ctl_told){
		now, a->src, a->prio, (uint8_t)which, (uint8_t)(alike ? t->alone + 1 : 1)};
	return false;
}
