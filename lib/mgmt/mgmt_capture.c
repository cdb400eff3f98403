/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_capture_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "ctl_frame.h"
#include "election.h"

#include "mgmt_cli_priv.h"
#include "mgmt_pcap_priv.h"
#include "mgmt_priv.h"

#define BATCH 64
/* Beyond all that the control lcore keeps, with its comments. */
#define DUMP_MAX (UINT64_C(64) << 20)

const char *
mgmt_frame_text(const struct mgmt_config *c, const struct ctl_frame *f, char buf[MGMT_FRAME_TEXT])
{
	char who[40] = "", state[96] = "", why[128] = "";
	bool of_group = f->group < c->conf->n_groups;

	if (of_group)
		snprintf(who, sizeof(who), "%s: ", mgmt_group_name(c, f->group));
	if (f->stat < CTL_STAT_COUNT)
		snprintf(why, sizeof(why), ": %s, %s", ctl_stat_name((enum ctl_stat)f->stat),
			ctl_stat_text((enum ctl_stat)f->stat));
	if (f->from != f->to)
		snprintf(state, sizeof(state), ", %s -> %s (%s)",
			election_state_name((enum election_state)f->from),
			election_state_name((enum election_state)f->to),
			election_cause_text((enum election_cause)f->cause));
	else if (of_group && f->verdict == CTL_VERDICT_ACCEPTED)
		snprintf(state, sizeof(state), ", stays %s",
			election_state_name((enum election_state)f->to));
	snprintf(buf, MGMT_FRAME_TEXT, "%s%s%s%s", who,
		ctl_verdict_text((enum ctl_verdict)f->verdict), why, state);
	return buf;
}

int
mgmt_capture_put(const struct mgmt_config *c, struct mgmt_pcap *to, const struct ctl_frame *f)
{
	char text[MGMT_FRAME_TEXT];
	const struct wire_pcapng_packet packet = {
		.interface = f->if_id,
		.wall_ns = f->wall_ns,
		.captured = f->captured,
		.len = f->len,
		.outbound = f->sent,
		.comment = mgmt_frame_text(c, f, text),
	};

	return mgmt_pcap_put(to, &packet, f->bytes, c->conf->ifs[f->if_id].vlan);
}

/* The configuration, which names are from, is held for a frame at a time, never for the disk. */
static int
put(const struct mgmt_config *c, struct mgmt_pcap *to, const struct ctl_frame *f)
{
	int ret;

	do {
		mgmt_file_read(c);
		ret = mgmt_capture_put(c, to, f);
		mgmt_file_read_end(c);
	} while (ret == -EAGAIN && (ret = mgmt_pcap_flush(to)) == 0);
	return ret;
}

static int
dump(const struct mgmt_config *c, struct mgmt_pcap *to)
{
	struct ctl_frame *batch = calloc(BATCH, sizeof(*batch));
	uint64_t newest = ctl_frame_newest(c->ctl), last = 0, after;
	int ret = batch != NULL ? 0 : -ENOMEM;

	/* What comes meanwhile is left for the next one: the end must be reached. */
	do {
		uint32_t n;

		after = last;
		n = ret == 0 ? ctl_frames(c->ctl, after, batch, BATCH, &last) : 0;
		for (uint32_t i = 0; i < n && ret == 0 && batch[i].seq <= newest; i++)
			ret = put(c, to, &batch[i]);
	} while (ret == 0 && last != after && last < newest);
	free(batch);
	return ret;
}

void
mgmt_capture_dump(struct mgmt_session *s, const char *path)
{
	uint64_t frames = 0;
	struct mgmt_pcap *to;
	int ret, closed;

	to = mgmt_pcap_create(s->config, path, DUMP_MAX, CTL_FRAME_BYTES, &ret);
	if (to != NULL) {
		ret = dump(s->config, to);
		frames = mgmt_pcap_frames(to);
		closed = mgmt_pcap_close(to, "dump of the last control frames", NULL);
		ret = ret != 0 ? ret : closed;
		if (ret != 0)
			unlink(path);
	}
	if (ret != 0) {
		s->status = MGMT_CLI_REFUSED;
		fprintf(s->out, "refused, no file was made: %s: %s\n", path, strerror(-ret));
		return;
	}
	fprintf(s->out, "%llu frames in %s\n", (unsigned long long)frames, path);
}
