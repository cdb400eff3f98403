/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "devices_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"

typedef uint8_t mac[BASE_MAC_LEN];

/* Two lists, one after the other: a device counts what is in both once. NULL: no memory. */
static mac *
both(const mac *a, uint16_t n_a, const mac *b, uint16_t n_b)
{
	mac *out = calloc((size_t)n_a + n_b + 1, sizeof(*out));

	if (out == NULL)
		return NULL;
	if (n_a != 0)
		memcpy(out, a, n_a * sizeof(*out));
	if (n_b != 0)
		memcpy(out + n_a, b, n_b * sizeof(*out));
	return out;
}

static int
change_one(struct port_set *ports, uint16_t i, const struct port_config *a,
	const struct port_config *b, char *err, unsigned int err_len)
{
	mac *vmacs = both(a->vmacs, a->n_vmacs, b->vmacs, b->n_vmacs);
	mac *mcasts = both(a->mcasts, a->n_mcasts, b->mcasts, b->n_mcasts);
	const struct port_addresses want = {
		.n_vmacs = (uint16_t)(a->n_vmacs + b->n_vmacs),
		.n_mcasts = (uint16_t)(a->n_mcasts + b->n_mcasts),
		.vmacs = (const mac *)vmacs,
		.mcasts = (const mac *)mcasts,
	};
	int ret = -1;

	if (vmacs == NULL || mcasts == NULL)
		snprintf(err, err_len, "%s: out of memory", a->device);
	else if (port_set_addresses(ports, i, &want, err, err_len) == 0)
		ret = 0;
	free(vmacs);
	free(mcasts);
	return ret;
}

/* Each device gets what a and b need; what all of them took stays, also after a failure. */
static int
change(struct port_set *ports, const struct conf *a, const struct conf *b, char *err,
	unsigned int err_len)
{
	struct devices da, db;
	int ret = -1;

	if (devices_from_conf(a, 1, &da) != 0) {
		snprintf(err, err_len, "devices: out of memory");
		return -1;
	}
	if (devices_from_conf(b, 1, &db) != 0) {
		snprintf(err, err_len, "devices: out of memory");
	} else {
		ret = 0;
		for (uint16_t i = 0; ret == 0 && i < da.n; i++)
			ret = change_one(ports, i, &da.config[i], &db.config[i], err, err_len);
		devices_free(&db);
	}
	devices_free(&da);
	return ret;
}

int
devices_change_begin(struct port_set *ports, const struct conf *now, const struct conf *next,
	char *err, unsigned int err_len)
{
	/* Where there are no slots for both: groups that go become deaf a moment earlier. */
	if (change(ports, now, next, err, err_len) == 0 ||
		change(ports, next, next, err, err_len) == 0)
		return 0;
	devices_change_end(ports, now);
	return -1;
}

void
devices_change_end(struct port_set *ports, const struct conf *conf)
{
	char err[256];

	if (change(ports, conf, conf, err, sizeof(err)) != 0)
		fprintf(stderr, "koi: %s\n", err);
}
