/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_PCAP_PRIV_H
#define MGMT_PCAP_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "mgmt.h"
#include "wire_pcapng.h"

/**
 * @file
 * A pcapng file of frames of this box. It has an interface for each of the configuration, in that
 * order, then one for each device, for frames that belong to no interface. What writes to the file
 * may take as long as the disk likes: nobody holds the configuration meanwhile.
 * @thread one at a time
 */

struct mgmt_pcap;

/** Longest frame that is written, a tag included. */
#define MGMT_PCAP_SNAP_MAX 65535

/**
 * Create a file, which must not exist, readable by its owner only. Writes to it; reads the
 * configuration.
 * @param max_bytes  it never becomes longer
 * @param snap_len   as it is noted in the file; 0: no bound
 * @return NULL with a negative errno in *error; no file is left then
 */
struct mgmt_pcap *mgmt_pcap_create(const struct mgmt_config *c, const char *path,
	uint64_t max_bytes, uint32_t snap_len, int *error);

/**
 * Append a frame, in memory: never waits for the disk.
 * @param vlan  tag to put in, where the frame is without the one that it has on the wire; 0: none
 * @return 0; -EAGAIN: there is room for it after mgmt_pcap_flush(); -EFBIG: it does not fit any
 *         more; another negative errno: the file could not be written
 */
int mgmt_pcap_put(struct mgmt_pcap *p, const struct wire_pcapng_packet *frame, const uint8_t *bytes,
	uint16_t vlan);
/** A frame of an interface that should be there is not. */
void mgmt_pcap_lost(struct mgmt_pcap *p, uint32_t interface, uint64_t n);
/** Write what is still in memory, however long that takes. @return 0 or a negative errno */
int mgmt_pcap_flush(struct mgmt_pcap *p);
/** Frames in the file, its length now. */
uint64_t mgmt_pcap_frames(const struct mgmt_pcap *p);
uint64_t mgmt_pcap_bytes(const struct mgmt_pcap *p);
/**
 * End the file with what each interface had, and close it. Writes to it.
 * @param why    for whoever reads the file
 * @param bytes  its length; or NULL
 * @return 0, or the first error of the file as a negative errno; the file then ends with the last
 *         block that was written whole
 */
int mgmt_pcap_close(struct mgmt_pcap *p, const char *why, uint64_t *bytes);

#endif
