/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_METRICS_PRIV_H
#define MGMT_METRICS_PRIV_H

#include <stdint.h>
#include <stdio.h>

#include "mgmt_view_priv.h"

/** @file Metrics for Prometheus and the like: the views again, in another coat. */

enum mgmt_metrics_format {
	MGMT_METRICS_OPENMETRICS, /**< OpenMetrics 1.0.0 */
	MGMT_METRICS_TEXT,	  /**< Prometheus' own text format, 0.0.4 */
	MGMT_METRICS_FORMATS
};

/** Write all metrics as they are now. @thread any that may take milliseconds; no lcore */
void mgmt_metrics_write(const struct mgmt_config *c, enum mgmt_metrics_format format, FILE *to);
/** The value of Content-Type for a format. */
const char *mgmt_metrics_type(enum mgmt_metrics_format format);
/** What a client that sent this Accept header gets; NULL: it sent none. */
enum mgmt_metrics_format mgmt_metrics_accept(const char *accept);

#define MGMT_HTTP_CONNECTIONS 8	    /**< more wait in the kernel's backlog */
#define MGMT_HTTP_TIMEOUT_MS  10000 /**< a connection is closed then, whatever it is at */
#define MGMT_HTTP_FRESH_MS    500 /**< the same text is sent for so long: a flood renders nothing */

struct mgmt_http;

/**
 * Serve GET /metrics at conf->metrics, on a thread of its own. One request a connection.
 * @param timeout_ms  as of MGMT_HTTP_TIMEOUT_MS
 * @return NULL with err filled, e.g. when the port is in use
 */
struct mgmt_http *mgmt_http_start(
	const struct mgmt_config *c, unsigned int timeout_ms, char *err, unsigned int err_len);
void mgmt_http_stop(struct mgmt_http *h);

#endif
