/* SPDX-License-Identifier: Apache-2.0
 *
 * Every size and count that bounds what somebody else can make us do, each with its reason.
 */
#pragma once

#define BH_KIB (1024ULL)
#define BH_MIB (1024ULL * BH_KIB)
#define BH_GIB (1024ULL * BH_MIB)

/* Channels. One datagram holds everything but bodies that travel as memfds; 128 KiB fits a container's
 * configuration with a generous environment and stays below the kernel's default socket buffer. */
#define BH_MESSAGE_BYTES_MAX       (128 * BH_KIB)
#define BH_MESSAGE_MEMFD_BYTES_MAX (8 * BH_MIB)  /* image configs with long histories */
#define BH_MESSAGE_BUDGET_BYTES    (32 * BH_MIB) /* what unpacking one message may allocate */
#define BH_MESSAGE_FDS_MAX         16            /* five attached clients at three pipes each, and one to spare */
#define BH_CHANNEL_QUEUE_MAX       512           /* messages waiting for a peer that does not read */
#define BH_CHANNEL_CALLS_MAX       4096          /* calls in flight on one channel */

/* Deadlines, in milliseconds. */
#define BH_DEADLINE_DEFAULT_MS 30000U               /* a typed question between helpers */
#define BH_DEADLINE_JOB_MS     (6U * 3600U * 1000U) /* a pull or load: six hours */

/* Names and references. */
#define BH_REFERENCE_BYTES_MAX  512  /* host (253) + port + repository (255), as Docker */
#define BH_REPOSITORY_BYTES_MAX 255  /* distribution-spec */
#define BH_TAG_BYTES_MAX        128  /* distribution-spec: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127} */
#define BH_NAME_BYTES_MAX       128  /* a container's name */
#define BH_PATH_BYTES_MAX       4095 /* PATH_MAX without its NUL */

/* Images. */
#define BH_MANIFEST_BYTES_MAX (4 * BH_MIB) /* distribution-spec's recommended ceiling */
#define BH_CONFIG_BYTES_MAX   (8 * BH_MIB)
#define BH_LAYERS_MAX         127 /* overlayfs' own practice, and Docker's limit */
#define BH_INDEX_ENTRIES_MAX  1024
#define BH_JSON_DEPTH_MAX     32
#define BH_LAYER_BYTES_MAX    (64 * BH_GIB) /* one layer's uncompressed size */
#define BH_LAYER_ENTRIES_MAX  4000000ULL    /* inodes in one layer */
#define BH_LAYER_RATIO_MAX    1200ULL       /* deflate's own limit is 1032:1; more is a lie */
#define BH_BLOB_BYTES_MAX     (32 * BH_GIB)
#define BH_ENV_MAX            4096 /* environment entries of one container */
#define BH_ARGV_MAX           4096

/* Containers. */
#define BH_TENANT_IDS            65536U /* one id range: 0..65535 inside, so that nobody (65534) maps */
#define BH_MOUNTS_MAX            256
#define BH_DEVICES_MAX           256   /* also what a folder of devices may hold */
#define BH_LOG_FILES_MAX         14    /* of one container: their descriptors travel in one message */
#define BH_LOG_ATTRIBUTES_MAX    32    /* labels and variables beside each line */
#define BH_ATTACHMENTS_MAX       5     /* clients attached at the moment of start */
#define BH_CONTAINERS_MAX        10000 /* over all tenants */
#define BH_CONTAINERS_TENANT_MAX 5000  /* of one, so that no tenant alone takes all of them */
#define BH_VOLUMES_MAX           10000 /* of one tenant */

/* Networks. */
#define BH_NETWORKS_MAX       1024 /* of one tenant, the three fixed ones among them */
#define BH_NETWORK_NAME_MAX   255
#define BH_ENDPOINTS_MAX      32   /* of one container: an interface each */
#define BH_PORTS_MAX          1024 /* of one container: a socket each */
#define BH_ENDPOINT_NAMES_MAX 64   /* aliases, and links, of one endpoint */
#define BH_ADDRESS_POOLS_MAX  64

/* Disks of a size: of volumes, and of containers with a limit. */
#define BH_DISK_BYTES_MIN (BH_MIB)               /* below, a file system has no room for itself */
#define BH_DISK_BYTES_MAX (16 * BH_KIB * BH_GIB) /* what ext4 with blocks of 4 KiB holds */

/* Events. A tenant's journal is what a client that was away can still learn: an hour of a busy tenant. */
#define BH_EVENTS_MAX        8192          /* of one tenant; twelve rows a second for ten minutes */
#define BH_EVENTS_BYTES_MAX  (4 * BH_MIB)  /* of one tenant: labels are part of an event, and may be long */
#define BH_EVENT_BYTES_MAX   (32 * BH_KIB) /* one event; what does not fit is left out, labels first */
#define BH_EVENT_BATCH_MAX   64            /* events in one answer; with their bytes at most one datagram */
#define BH_EVENT_READERS_MAX 256           /* clients of one tenant that wait for events */

/* Execs. Each that runs costs a monitor outside the tenant's cgroup, each that was created a row. */
#define BH_EXECS_CONTAINER_MAX 1024 /* rows of one container */
#define BH_KEPT_OUTPUT_MAX     4096 /* of a health check's output, as Docker keeps it */
#define BH_EXECS_TENANT_MAX    1024 /* running at once */
