/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef PORT_PRIV_H
#define PORT_PRIV_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_flow.h>

#include "compat_thread.h"
#include "port.h"

/** @file Inside lib/port: the operation table, the state of a device, who writes what. */

/**
 * Everything that lib/port asks of DPDK and of the kernel. Tests put a device of their own behind
 * it, one that refuses or fails. Each returns 0 or -errno unless said otherwise.
 */
struct port_ops {
	int (*find)(const char *name, uint16_t *port_id);
	/** Names of all devices, comma-separated, cut to len; "none" when there are none. */
	void (*list)(char *buf, size_t len);
	int (*info)(uint16_t port_id, struct rte_eth_dev_info *info);
	int (*socket)(uint16_t port_id);
	int (*mac)(uint16_t port_id, struct rte_ether_addr *mac);

	int (*configure)(
		uint16_t port_id, uint16_t n_rxq, uint16_t n_txq, const struct rte_eth_conf *conf);
	int (*desc_adjust)(uint16_t port_id, uint16_t *n_rx_desc, uint16_t *n_tx_desc);
	int (*rxq_setup)(uint16_t port_id, uint16_t queue, uint16_t n_desc, unsigned int socket,
		const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
	int (*txq_setup)(uint16_t port_id, uint16_t queue, uint16_t n_desc, unsigned int socket,
		const struct rte_eth_txconf *conf);
	int (*mtu_get)(uint16_t port_id, uint16_t *mtu);
	int (*mtu_set)(uint16_t port_id, uint16_t mtu);
	int (*start)(uint16_t port_id);
	int (*stop)(uint16_t port_id);
	int (*close)(uint16_t port_id);

	int (*mac_add)(uint16_t port_id, const uint8_t mac[BASE_MAC_LEN]);
	int (*mac_remove)(uint16_t port_id, const uint8_t mac[BASE_MAC_LEN]);
	/** The multicast addresses to receive; n may be 0. */
	int (*multicast_set)(uint16_t port_id, const uint8_t (*macs)[BASE_MAC_LEN], uint16_t n);
	int (*promiscuous_set)(uint16_t port_id, bool on);
	bool (*promiscuous_get)(uint16_t port_id);
	int (*allmulticast_set)(uint16_t port_id, bool on);
	bool (*allmulticast_get)(uint16_t port_id);

	int (*link)(uint16_t port_id, struct rte_eth_link *link); /**< never waits */
	int (*event_register)(
		uint16_t port_id, enum rte_eth_event_type type, rte_eth_dev_cb_fn cb, void *arg);
	int (*event_unregister)(
		uint16_t port_id, enum rte_eth_event_type type, rte_eth_dev_cb_fn cb, void *arg);

	/** What probe() needs to find the device again, written to buf. */
	int (*identity)(uint16_t port_id, char *buf, size_t len);
	/** Stop it and put it back to before configure; -ENOTSUP where the driver cannot. */
	int (*reset)(uint16_t port_id);
	/** Stop, close and let go of a device, also of one that is not there any more. */
	int (*remove)(uint16_t port_id);
	int (*probe)(const char *identity);

	/** Put frames of a kind into a queue; with probe only whether that would be done. */
	int (*steer)(
		uint16_t port_id, enum port_steer what, bool tagged, uint16_t queue, bool probe);
	/** Take all such rules back. */
	int (*steer_flush)(uint16_t port_id);
	/** Spread flows over the first n queues alone. */
	int (*rss_first)(uint16_t port_id, uint16_t n);

	int (*stats)(uint16_t port_id, struct rte_eth_stats *stats);

	/** A socket for netdev calls in this process's namespace. @return it or -errno */
	int (*netdev_open)(void);
	/** A socket that is readable when a netdev's link changed. @return it or -errno */
	int (*netdev_watch_open)(void);
	/** Administratively up and with carrier. */
	int (*netdev_link)(int fd, unsigned int if_index, bool *up);
	/** Promiscuous for as long as fd is open, so that a crash leaves nothing behind. */
	int (*netdev_promiscuous)(int fd, unsigned int if_index, bool on);
};
extern const struct port_ops port_ops_real;

/** @name Steering (port_steer.c) @{ */
#define PORT_PROTO_CARP	 112
#define PORT_STEER_ITEMS 5
const char *port_steer_name(enum port_steer what);
/** Names of kinds, cut to len. */
void port_steer_list(uint16_t kinds, char *buf, size_t len);
/** All kinds, those of tagged frames too where the device has such interfaces. */
uint16_t port_steer_all(bool tagged);
/**
 * Ask a device that runs which kinds of some it can steer.
 * @param why  of the first that it cannot, -errno
 */
uint16_t port_steer_probe(const struct port_ops *ops, uint16_t port_id, uint16_t kinds, int *why);
/** @return those of the kinds that go into the queue now */
uint16_t port_steer_set(
	const struct port_ops *ops, uint16_t port_id, uint16_t kinds, uint16_t queue);
/** The real operations. */
int port_steer_rule(
	uint16_t port_id, enum port_steer what, bool tagged, uint16_t queue, bool probe);
/** The pattern of such a rule: PORT_STEER_ITEMS items at most, END included. */
void port_steer_pattern(enum port_steer what, bool tagged, struct rte_flow_item *items);
int port_steer_flush(uint16_t port_id);
int port_rss_first(uint16_t port_id, uint16_t n);
/** @} */

/** What a driver does not say about itself. */
struct port_driver {
	const char *name;
	bool all_rx;	 /**< frames are spread over all its queues, also those that nobody reads */
	bool paired;	 /**< RX and TX queue counts must be the same */
	bool netdev;	 /**< a kernel netdev stands behind it whose link it does not report */
	bool unfiltered; /**< without promiscuous mode it delivers every frame all the same */
	bool poll;	 /**< its link interrupt may not come, and on it hides the link */
	bool late;	 /**< it knows its limits only once it was configured */
	bool nudge;	 /**< it has frames of its own to send, when it is given some or none */
	bool tag_beyond; /**< a frame with a tag may be 4 bytes longer than its MTU says */
	/** Queues of each kind, where it announces more than all its devices have; or 0. */
	uint8_t max_queues;
};
/** The entry of a driver; one without peculiarities when it is not listed. */
const struct port_driver *port_driver_find(const char *name);
/** The file that a device's driver is in; "" when the linker does not know it. */
void port_driver_file(const struct rte_eth_dev_info *info, char *buf, size_t len);
/** How many queues of a kind work, of those that the driver announces. */
uint16_t port_driver_queues(const struct port_driver *drv, uint16_t announced);

/** A try at the queue counts. */
struct port_queues {
	uint16_t n_rxq, n_txq; /**< n_txq without the control lcore's */
	bool control_txq;
};
#define PORT_QUEUE_TRIES 3
/** The tries worth making, best first. @return how many, at least 1 */
unsigned int port_queue_plan(const struct rte_eth_dev_info *info, const struct port_driver *drv,
	uint16_t n_rxq, uint16_t n_workers, struct port_queues out[PORT_QUEUE_TRIES]);

/** What a device says before it is started, and what is wanted of it; constant. */
struct port_facts {
	char driver[32];
	unsigned int release, point; /**< of DPDK, as compat_dpdk_release() and _point() */
	uint16_t max_rxq, max_txq, min_mtu;
	uint32_t max_mtu;
	struct rte_eth_desc_lim rx_desc, tx_desc;
	uint32_t max_macs;				      /**< 0 = not told */
	bool lsc, rmv;					      /**< has such interrupts */
	bool vlan_strip, vlan_insert;			      /**< it can */
	uint16_t n_rxq, n_workers, n_rx_desc, n_tx_desc, mtu; /* wanted */
	uint16_t vlan_mtu;
	uint16_t n_vmacs, n_mcasts;
	enum port_vmac_policy policy;
};
void port_facts_fill(struct port_facts *f, const struct rte_eth_dev_info *info,
	const struct port_config *c, uint16_t n_vmacs, uint16_t n_mcasts);
/** Filter slots beside the device's own address; UINT32_MAX when it does not tell. */
uint32_t port_facts_slots(const struct port_facts *f);
/** A known fault makes the device drop the peer's adverts when it has our vMACs in its filter. */
bool port_facts_prunes(const struct port_facts *f);
/**
 * The table.
 * @param got   what it got when started, with its modes now; NULL before
 * @param link_source of got, or what it would be
 */
unsigned int port_preflight_rows(const struct port_facts *f, const struct port_info *got,
	const char *link_source, struct port_check out[PORT_CHECKS_MAX]);
int port_preflight_ops(const struct port_ops *ops, const struct port_config *c,
	struct port_check out[PORT_CHECKS_MAX], char *err, unsigned int err_len);

/** Largest MTU that the ethdev layer would accept. */
uint32_t port_mtu_max(const struct rte_eth_dev_info *info);
/** What a device is to be asked for: its largest packet, and room for a tag where it needs any. */
uint16_t port_mtu_wanted(const struct port_config *c, const struct rte_eth_dev_info *info);

/** What readers may see of a device. */
struct port_state {
	struct port_info info;
	base_ns_t link_at, filter_at, service_at;
	bool filter_ok;
};
#define PORT_STATE_WORDS ((sizeof(struct port_state) + 7) / 8)

/**
 * A struct port_state that one thread writes and any read. Two copies under a sequence number
 * whose low bit says which of them readers use: a reader begins again only after a whole write went
 * by, never because a writer was interrupted. (A real-time lcore that spins until an ordinary
 * thread on its CPU goes on would wait for the kernel's throttling.) Writer: main during start and
 * stop, the port thread between.
 */
struct port_box {
	_Atomic uint32_t seq;
	_Atomic uint64_t words[2][PORT_STATE_WORDS];
};
void port_box_write(struct port_box *b, const struct port_state *s);
void port_box_read(const struct port_box *b, struct port_state *s);

/** Who may touch a device. */
enum port_phase {
	PORT_PHASE_SERVES = 0, /**< the lcores use it */
	PORT_PHASE_LEAVES,     /**< the lcores were asked to leave it alone */
	PORT_PHASE_REPAIR,     /**< only the port thread touches it */
};

/** Something slow that is being done to a device. */
enum port_job {
	PORT_JOB_NONE = 0,
	PORT_JOB_FILTER,       /**< set its filters again, and tell how it went */
	PORT_JOB_FILTER_RETRY, /**< the same after a failure that was told */
	PORT_JOB_REPAIR,       /**< bring it back */
	PORT_JOB_CHANGE,       /**< give it other addresses */
};

#define PORT_IDENTITY_MAX 256
#define PORT_JOB_ERR_MAX  (PORT_NAME_MAX + 2 * PORT_REASON_MAX)

/** Other addresses for a device; of the asker, who waits. */
struct port_change {
	uint16_t n_vmacs, n_mcasts;
	uint8_t (*vmacs)[BASE_MAC_LEN]; /**< once it is done, those that the device had */
	uint8_t (*mcasts)[BASE_MAC_LEN];
	bool same; /**< there was nothing to be done */
	int ret;
	char err[PORT_JOB_ERR_MAX];
	sem_t done;
};

struct port_dev {
	uint16_t id; /**< ethdev port id */
	const struct port_driver *drv;
	unsigned int if_index; /**< of the netdev behind it, 0 when none matters */
	uint16_t n_vmacs;
	uint8_t (*vmacs)[BASE_MAC_LEN];
	uint16_t n_mcasts;
	uint8_t (*mcasts)[BASE_MAC_LEN];
	bool lsc;		 /**< tells link changes by interrupt */
	struct port_facts facts; /**< constant; numbers of addresses are those of the start */

	struct port_change *_Atomic asked; /**< set by who asks, taken by the port thread or back */

	/* To bring it up again, as it was; constant. */
	struct port_config config; /**< without its lists */
	void *pool;
	struct port_queues queues;
	bool rss;
	uint16_t steer; /* kinds that the last receive queue is for, 0: there is none */
	char identity[PORT_IDENTITY_MAX];

	/* Written by the port thread. While there is a job, all but its kind is the job's. */
	enum port_job job;
	struct port_change *change; /**< what CHANGE is about */
	int job_ret;		    /**< its outcome */
	char job_err[PORT_JOB_ERR_MAX];
	pthread_mutex_t driver; /**< held by a repair, and by management while it asks the driver */
	enum port_phase phase;
	bool removed;	     /**< it went, or will: reset does not help */
	bool gone;	     /**< it is no ethdev now */
	uint8_t n_tries;     /**< at bringing it back */
	base_ns_t repair_at; /**< next try */

	/* What port_set_stop() has to undo. Written by main, then the port thread or the job. */
	bool started;
	uint8_t events;		 /**< bits of events that are registered */
	uint16_t n_filters;	 /**< the first of vmacs that the device has */
	bool promiscuous;	 /**< we turned it on at the device */
	bool promiscuous_on;	 /**< on, by whomever */
	bool netdev_promiscuous; /**< by our own socket */
	bool multicast, allmulticast;

	base_ns_t retry_at; /**< filters that failed are tried again then; 0 = they did not */

	struct port_state now; /**< the writer's copy of box */
	struct port_box box;
};

#define PORT_EVENTS 64 /* a power of two */

struct port_set {
	const struct port_ops *ops;
	uint16_t n;
	struct port_dev *dev;
	int netdev_fd; /**< or -1 */
	int watch_fd;  /**< netlink, or -1 */
	int wake_fd;   /**< eventfd */
	int job_fd;    /**< eventfd that blocks, of the job thread */

	bool watching;
	uint32_t poll_ms;
	struct compat_thread thread, job_thread;
	_Atomic bool stop;
	/* Bit i: device i; any thread sets, the port thread clears. */
	_Atomic uint32_t reprogram;
	_Atomic uint32_t reset, removed; /**< set by DPDK's interrupt thread */
	_Atomic uint32_t detached;	 /**< set by the control lcore */
	_Atomic uint32_t jobs; /**< set by the port thread, cleared by the job's at its end */

	/* Events: the port thread writes tail and slots, the control lcore head. Where the ring is
	 * full, the bit says that the latest state of the device has not been told. */
	_Alignas(64) _Atomic uint32_t tail;
	struct port_event slot[PORT_EVENTS];
	uint16_t slot_dev[PORT_EVENTS]; /**< of which device */
	_Atomic uint32_t missed_link, missed_filter, missed_device;
	_Alignas(64) _Atomic uint32_t head;
	base_ns_t told[PORT_EV_DEVICE + 1][PORT_MAX]; /**< by the control lcore, of missed ones */
};

/** port_set_start() over any table. */
struct port_set *port_set_start_ops(const struct port_ops *ops, const struct port_config *configs,
	uint16_t n, void *const *mempools, char *err, unsigned int err_len);

/** Configure, set up queues and start one device whose id and vmacs are known. */
int port_dev_start(struct port_set *s, struct port_dev *d, const struct port_config *c, void *pool,
	char *err, unsigned int err_len);

/** Bring a device up again as port_dev_start() did, after a reset. */
int port_dev_restart(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len);

/**
 * Make the device deliver frames to the vMACs and CARP's multicast group.
 * @return 0, also when all it can do is to deliver everything; or the driver's error, with err
 */
int port_filter_apply(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len);
/** The same again on a running device, without a gap where the driver allows. */
int port_filter_refresh(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len);
void port_filter_undo(struct port_set *s, struct port_dev *d);
/**
 * Give a running device other addresses.
 * @return 0, also when its filters do not work, as before; or an error, with err, and it has what
 *         it had
 */
int port_filter_change(struct port_set *s, struct port_dev *d, struct port_change *c, char *err,
	unsigned int err_len);
bool port_has_mac(uint8_t (*macs)[BASE_MAC_LEN], uint16_t n, const uint8_t mac[BASE_MAC_LEN]);
/** A copy without duplicates. @return how many, or -ENOMEM */
int port_copy_macs(const uint8_t (*macs)[BASE_MAC_LEN], uint16_t n, uint8_t (**out)[BASE_MAC_LEN]);

/** Read the link of d into d->now. @return true when it changed */
bool port_link_read(struct port_set *s, struct port_dev *d, base_ns_t now);
/** Put an event into the ring, or note that there is one. */
void port_tell(struct port_set *s, uint16_t i, enum port_event_type type);

/** @name Out of service and back (port_life.c). @{ */
/** The callback of a device's events: only leaves a note and wakes the port thread. */
int port_device_event(uint16_t port_id, enum rte_eth_event_type type, void *set, void *ret_param);
/** Ask for the events that the device has; d->lsc is false when links are not among them. */
void port_events_register(struct port_set *s, struct port_dev *d);
void port_events_unregister(struct port_set *s, struct port_dev *d);
/** Take the device out of service when an event wants that. Quick. */
void port_life_leave(struct port_set *s, uint16_t i, base_ns_t now);
/** Begin to bring back one that is out of service, if it is time and the lcores have left it. */
void port_life_repair(struct port_set *s, uint16_t i, base_ns_t now);
/** Bring it back. Slow. @return 0, or why not, with err */
int port_life_bring_back(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len);
/** Tell what came of it. */
void port_life_repaired(struct port_set *s, uint16_t i, base_ns_t now);
/** @} */
/** Tell what came of setting filters again; a try of our own that failed again is not told. */
void port_filter_refreshed(struct port_set *s, uint16_t i, bool asked, base_ns_t now);

/** @name Other addresses (port_change.c). @{ */
/** Begin what is asked for of a device without a job. @return false: nothing is */
bool port_change_begin(struct port_set *s, uint16_t i, base_ns_t now);
/** Tell what came of it. */
void port_change_finish(struct port_set *s, uint16_t i, base_ns_t now);
/** @} */

/** @name Jobs (port_job.c). @{ */
/** Start one on a device that has none; where there is no thread for it, it is done at once. */
void port_job_start(struct port_set *s, uint16_t i, enum port_job job, base_ns_t now);
/** Take the device back if its job has ended, and tell the outcome. */
void port_job_finish(struct port_set *s, uint16_t i, base_ns_t now);
void port_job_thread(void *set);
/** @} */

/** One turn of the port thread, without waiting. */
void port_set_turn(struct port_set *s, base_ns_t now);
void port_set_wake(struct port_set *s);
void port_thread_stop(struct port_set *s);

#endif
