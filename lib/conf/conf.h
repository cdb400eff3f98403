/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "auth.h"
#include "base_addr.h"
#include "wire_ra.h"

/**
 * @file
 * The configuration file: JSON in, one validated immutable struct out (design 4.2).
 * @thread any; a loaded struct conf is never changed
 */

#define CONF_NAME_MAX	    15 /**< bytes of a name, NUL not counted */
#define CONF_NODE_MAX	    31
#define CONF_DEVICE_MAX	    63
#define CONF_IF_MAX	    128
#define CONF_PORT_MAX	    32 /**< devices: as many as DPDK has ports */
#define CONF_GROUP_MAX	    1024
#define CONF_GROUP_SPARE    64 /**< groups that can be added while koi runs, at least */
#define CONF_ROUTE_MAX	    1000000
#define CONF_HOPS_MAX	    16	 /**< next hops of a route */
#define CONF_ADDRESS_MAX    64	 /**< per interface */
#define CONF_NEIGHBOR_MAX   1024 /**< per interface */
#define CONF_VIP_MAX	    255	 /**< per group */
#define CONF_WORKER_MAX	    16
#define CONF_EAL_ARGS_MAX   64
#define CONF_HOOK_ARGS_MAX  16
#define CONF_USER_MAX	    31
#define CONF_CPU_AUTO	    UINT16_MAX
#define CONF_FILE_MAX_BYTES ((size_t)256 << 20)
#define CONF_VLAN_MAX	    4094
#define CONF_MTU_MIN	    68
#define CONF_MTU_MIN_IP6    1280
#define CONF_MTU_MAX	    9216
#define CONF_MTU_DEFAULT    1500

#define CONF_HOLD_MS_MAX	    600000 /**< of linkup-hold-ms and startup-hold-ms */
#define CONF_PREEMPT_DELAY_MS_MAX   3600000
#define CONF_ANNOUNCE_REFRESH_S_MAX 86400
#define CONF_WINDOW_S_MIN	    10
#define CONF_WINDOW_S_MAX	    86400
#define CONF_WINDOW_S_DEFAULT	    300

enum conf_idle { CONF_IDLE_ADAPTIVE = 0, CONF_IDLE_POLL };
enum conf_initial_state { CONF_STATE_BACKUP = 0, CONF_STATE_INIT, CONF_STATE_MASTER };
/** When a group with addresses of both families takes over (protocol note 4). */
enum conf_family_timers {
	CONF_FAMILY_TIMERS_ALL = 0, /**< when every family is silent */
	CONF_FAMILY_TIMERS_ANY,	    /**< when one is, as the BSDs do */
};
/**
 * Variant of the digest that is sent (note 2.2); both are accepted. They differ only in groups with
 * link-local VIPs.
 */
enum conf_hmac {
	CONF_HMAC_AUTO = 0, /**< as NOV6LL */
	CONF_HMAC_ORIG,	    /**< with link-local VIPs: NetBSD, FreeBSD */
	CONF_HMAC_NOV6LL,   /**< without: OpenBSD */
};
/** Checksum of IPv6 adverts sent (note 1.5); both are accepted. */
enum conf_cksum6 { CONF_CKSUM6_PLAIN = 0, CONF_CKSUM6_PSEUDO };

struct conf_lcores {
	uint16_t control;		   /**< CPU, or CONF_CPU_AUTO */
	uint16_t n_workers;		   /**< 0 = auto */
	uint16_t workers[CONF_WORKER_MAX]; /**< CPUs */
	enum conf_idle idle;
	uint8_t rt_priority; /**< 0 = off, else 1..98 */
};

/** Where metrics are served over HTTP; of the kernel, not of an interface of ours. */
struct conf_metrics {
	struct base_addr addr; /**< family BASE_FAMILY_NONE: nowhere */
	uint16_t port;
};

/** The socket of the command line. */
struct conf_cli {
	uint16_t mode;		       /**< permissions */
	char group[CONF_NODE_MAX + 1]; /**< "": the process's own */
};

/** How frames to the shared MACs are to reach us. */
enum conf_vmac_filter {
	CONF_VMAC_FILTER_AUTO = 0,    /**< filter slots, else promiscuous */
	CONF_VMAC_FILTER_REQUIRE,     /**< filter slots or not at all */
	CONF_VMAC_FILTER_PROMISCUOUS, /**< promiscuous or not at all */
};

/** Reverse-path check of what an interface receives. */
enum conf_rp_filter {
	CONF_RP_FILTER_OFF = 0,
	CONF_RP_FILTER_LOOSE,  /**< some route leads to the source */
	CONF_RP_FILTER_STRICT, /**< the best route leads there by the interface */
};

/** The host path of an interface. */
struct conf_host {
	bool on;
	char tap[CONF_NAME_MAX + 1]; /**< netdev, unique among interfaces; "" when off */
	uint32_t rate_pps;	     /**< frames to the kernel, at most */
};
#define CONF_HOST_PPS_DEFAULT 20000

/** A neighbour that is set. */
struct conf_neighbor {
	struct base_addr addr;
	uint8_t mac[BASE_MAC_LEN];
	uint32_t node; /**< where it stands, while the file is read */
};

#define CONF_RA_VALID_S	    2592000 /**< of a prefix, RFC 4861 6.2.1 */
#define CONF_RA_PREFERRED_S 604800

/** Router advertisements, by groups of the interface that are MASTER. */
struct conf_ra {
	uint16_t min_interval_s, max_interval_s;
	uint32_t preference; /**< index of its word; in msg as it is sent */
	bool prefixes_given; /**< else msg has the subnets of the interface and its groups */
	struct wire_ra msg;  /**< but for the link-layer address, which is the group's vMAC */
};

struct conf_if {
	char name[CONF_NAME_MAX + 1];
	char device[CONF_DEVICE_MAX + 1]; /**< DPDK device name */
	uint16_t device_index;		  /**< the same in all interfaces of a device */
	uint16_t vlan;			  /**< 802.1Q tag, 1..4094; 0 = untagged */
	uint16_t mtu;
	bool track;
	enum conf_vmac_filter vmac_filter; /**< the same in all interfaces of a device */
	enum conf_rp_filter rp_filter;
	bool source_mac_vmac; /**< forwarded frames leave with a vMAC that is MASTER there */
	struct conf_host host;
	uint32_t linkup_hold_ms; /**< a link that comes up counts as down for so much longer */
	uint16_t n_addresses;
	struct base_prefix *addresses;
	struct conf_ra *ra; /**< NULL: none are sent */
	uint16_t n_neighbors;
	struct conf_neighbor *neighbors; /**< by address */
};

/** What the digest of a group's adverts is made of, as a file says it. */
struct conf_digest {
	uint8_t key[AUTH_KEY_LEN];
	char *pass_file;
	uint16_t n_addresses;
	struct base_prefix *addresses;
};

/** A change of these that a reload has staged: conf_stage.h. */
struct conf_staged {
	struct conf_digest other; /**< what is not in use, of old and new */
	bool uses_new;		  /**< in use is what the file brought */
	bool file_new;		  /**< so does the file loaded last say, else the old one */
	bool begin;		  /**< it begins with this configuration */
	bool over;		  /**< nothing is staged any more, but the file says otherwise */
};

struct conf_group {
	char name[CONF_NAME_MAX + 1];
	/**
	 * The slot of a group that a reload took out: there is no such group, but for its name,
	 * which events of the past want. Its interface and vhid are as they were, it has no
	 * addresses.
	 */
	bool unused;
	uint16_t if_index;  /**< resolved carpdev */
	bool carpdev_found; /**< carpdev was found by subnet, not given */
	uint8_t vhid;
	uint8_t advbase;
	uint8_t advskew;
	bool fast;
	enum conf_initial_state state;
	uint8_t key[AUTH_KEY_LEN];
	char *pass_file; /**< as given, or NULL; the key is already read from it */
	uint16_t n_addresses;
	struct base_prefix *addresses; /**< VIPs in the order given; link-local ones included */
	/**
	 * Where adverts go instead of to the multicast group; family BASE_FAMILY_NONE when unset.
	 * On a subnet of the interface (peer6 may be link-local) and no address of this box; the
	 * group has a VIP of the family.
	 */
	struct base_addr peer4, peer6;
	bool strict; /**< refuse replayed adverts */
	enum conf_family_timers family_timers;
	enum conf_hmac hmac;
	enum conf_cksum6 cksum6;
	bool advert_source_interface; /**< multicast adverts come from the interface's own MAC */
	/** Key, pass_file and addresses are in use, but others are staged; NULL: no others. */
	struct conf_staged *staged;
};

/** What becomes of packets to a prefix. */
enum conf_route_type {
	CONF_ROUTE_VIA = 0,	/**< they go to a next hop */
	CONF_ROUTE_BLACKHOLE,	/**< dropped */
	CONF_ROUTE_UNREACHABLE, /**< dropped, and the sender is told */
	CONF_ROUTE_PROHIBIT,	/**< the same */
};

struct conf_hop {
	struct base_addr via;
	/** Whose subnet holds via (own address or VIP prefix), or given for a link-local one. */
	uint16_t if_index;
};

struct conf_route {
	struct base_prefix prefix; /**< host bits zero */
	enum conf_route_type type;
	uint8_t n_hops; /**< 1 or more of a route VIA, else 0 */
	struct conf_hop *hops;
};

struct conf {
	char *path; /**< as given to conf_load(), for messages */
	char node[CONF_NODE_MAX + 1];
	uint16_t n_eal;
	char **eal;
	struct conf_lcores lcores;
	struct conf_metrics metrics;
	struct conf_cli cli;
	/** With arpbalance an IPv4 VIP may be in several groups of one interface. */
	bool allow, preempt, arpbalance;
	uint8_t log;		      /**< 0..2 */
	bool arpbalance_netbsd_order; /**< index 0 is the highest vhid (note 7.3) */
	uint8_t dscp;		      /**< of adverts, 0..63 */
	uint32_t startup_hold_ms, preempt_delay_ms;
	uint32_t announce_refresh_s;		/**< 0 = off */
	uint32_t window_s;			/**< of changes that a reload stages */
	uint16_t n_on_change;			/**< 0 = no hook */
	char **on_change;			/**< path and arguments, a NULL behind them */
	char on_change_user[CONF_USER_MAX + 1]; /**< "" = not given */
	uint16_t on_change_timeout_s;
	uint16_t n_ifs;
	struct conf_if *ifs;
	uint16_t n_devices;
	uint16_t device_if[CONF_PORT_MAX]; /**< the first interface of each */
	uint16_t n_groups;		   /**< slots, of which some may be unused */
	/** How many slots there can be while koi runs: all make room for so many at start. */
	uint16_t group_room;
	struct conf_group *groups;
	uint32_t n_routes;
	struct conf_route *routes;
	struct conf_hop *hops; /**< those of all routes */
};

enum conf_severity { CONF_ERROR = 0, CONF_WARNING };

/** One finding. Text is UTF-8 without newlines. */
struct conf_issue {
	enum conf_severity severity;
	uint32_t line;	  /**< from 1 */
	uint32_t column;  /**< from 1, in characters; a tab is one */
	char *pointer;	  /**< RFC 6901 JSON pointer, "" for the document */
	char *text;	  /**< what is wrong and what is allowed, suggestion included */
	char *allowed;	  /**< what may stand there, alone, or NULL */
	char *suggestion; /**< what was probably meant, as it would be written, or NULL */
};

struct conf_issues {
	char *path;
	uint32_t n_errors, n_warnings;
	uint32_t n, cap;
	struct conf_issue *issue; /**< in order of position */
};

#define CONF_CHECK_ONLY 1u /**< an unreadable pass-file is a warning (koi --check) */

/**
 * From now on what Jansson gives back is wiped: passwords of a configuration pass through its
 * strings and buffers. @thread main, before anything of Jansson's is allocated
 */
void conf_json_wipe(void);

/**
 * Read and validate a file. All errors are collected; a JSON syntax error is reported alone.
 * @param flags   0 or CONF_CHECK_ONLY
 * @param issues  filled; free with conf_issues_free() in every case
 * @return the configuration, or NULL when there is at least one error.
 */
struct conf *conf_load(const char *path, unsigned int flags, struct conf_issues *issues);
/**
 * The bytes of a file, for whoever needs them beside the configuration: conf_parse() reads them.
 * @param issues  as of conf_load()
 * @return to be wiped and freed, or NULL
 */
char *conf_file_read(const char *path, size_t *len, struct conf_issues *issues);
/** As conf_load(), from memory; path is used in messages and to name the file only. */
struct conf *conf_parse(const char *text, size_t len, const char *path, unsigned int flags,
	struct conf_issues *issues);
/**
 * A route from words, checked against a configuration as those of its file are.
 * @param via        next hops with commas between, or NULL
 * @param type       CONF_ROUTE_VIA with via
 * @param interface  a name, or NULL
 * @param hops       room for them, which the route then points to
 * @return 0, or -1 with the reason in err
 * @thread any
 */
int conf_route_parse(const struct conf *c, const char *prefix, const char *via,
	enum conf_route_type type, const char *interface, struct conf_route *out,
	struct conf_hop hops[CONF_HOPS_MAX], char *err, size_t err_len);

/** Wipe keys and free; NULL is fine. */
void conf_free(struct conf *c);

/** One line each: "file:line:column: /pointer: text", warnings with "warning: " before the text. */
void conf_issues_print(const struct conf_issues *issues, FILE *to);
/**
 * One JSON object, as of koi --check --json: {"file":…,"valid":…,"errors":[…],"warnings":[…]}, of
 * objects with "file", "line", "column", "pointer", "message", "allowed" and "suggestion"; the last
 * two are null where there is nothing to say.
 */
void conf_issues_print_json(const struct conf_issues *issues, FILE *to);
void conf_issues_free(struct conf_issues *issues);

/**
 * Read a passphrase file: one line, a trailing newline dropped; owner root or the effective user,
 * no permission for group or others.
 * @param err  what is wrong, when the return is not 0
 * @return 0 and the key; -EPERM unsafe owner or permissions; -EINVAL bad contents; or the errno of
 *         open/read.
 * @thread any that may block
 */
int conf_pass_file_read(const char *path, uint8_t key[AUTH_KEY_LEN], char *err, size_t err_len);

/** An address of either family, without prefix length. @return 0 or -1 */
int conf_addr_parse(const char *s, struct base_addr *out);
/** A MAC address as aa:bb:cc:dd:ee:ff. @return false: it is none */
bool conf_mac_parse(const char *s, uint8_t mac[BASE_MAC_LEN]);

/** True when name is a legal name for an interface or group (design 4.2). */
bool conf_name_valid(const char *name);

/** True for fe80::/10, which means a different thing on each interface. */
bool conf_addr_link_local(const struct base_addr *a);

/** Text of an address, or of a prefix "a/len". @param buf at least CONF_ADDR_STR bytes. */
#define CONF_ADDR_STR 64
const char *conf_addr_str(const struct base_addr *a, char buf[CONF_ADDR_STR]);
const char *conf_prefix_str(const struct base_prefix *p, char buf[CONF_ADDR_STR]);
/** Text of an address and a port, as in the file: "127.0.0.1:9568", "[::1]:9568". */
#define CONF_LISTEN_STR (CONF_ADDR_STR + 8)
const char *conf_listen_str(const struct conf_metrics *m, char buf[CONF_LISTEN_STR]);

/** True when one is probably a misspelling of the other (edit distance, case ignored). */
bool conf_words_near(const char *a, const char *b, unsigned int *distance);

#endif
