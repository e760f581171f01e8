/* SPDX-License-Identifier: Apache-2.0
 *
 * The judgement itself: pure functions from what is asked, the tenant's rules and what the tenant uses already, to
 * allowed or refused, and to what policyd fills in. Called by service.c with checked specs (spec_check.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/ip_pools.h"
#include "container.pb-c.h"
#include "known.h"
#include "network.pb-c.h"
#include "rules.h"

struct judgement {
    bool refused; /* by a rule, also when `audit_only` lets it pass */
    bool audit_only;
    enum rule rule;                     /* the one that refused */
    char origin[RULES_NAME_SIZE + 16];  /* where it stands */
    char reason[BH_ERROR_MESSAGE_SIZE]; /* what was asked, which rule, its file, and what would be allowed */
};

/* True if what was judged goes on. */
static inline bool judgement_passes(const struct judgement *judgement)
{
    return !judgement->refused || judgement->audit_only;
}

/* May this container run? `others` counts the tenant's other containers. */
void judge_container(const Bulkhead__ContainerSpec *spec, const struct rules *rules, const struct known_count *others,
                     struct judgement *ret_judgement);

/* May this process join its container, which was judged by itself? */
void judge_exec(const Bulkhead__ExecSpec *spec, const struct rules *rules, struct judgement *ret_judgement);
/* May this volume be made? */
void judge_volume(const Bulkhead__MakeVolume *volume, const struct rules *rules, struct judgement *ret_judgement);

/* May this network be made? */
void judge_network(const Bulkhead__NetworkSpec *network, const struct rules *rules, const struct ip_pools *pools,
                   struct judgement *ret_judgement);
/* May a container that runs be linked like that? */
void judge_connection(const Bulkhead__Attachment *attachment, const struct rules *rules,
                      struct judgement *ret_judgement);
/* A network of another tenant's, or one that nobody made. */
void judge_network_owner(const uint8_t id[static 32], struct judgement *ret_judgement);

/* May its limits become these? */
void judge_resources(const Bulkhead__Resources *resources, const struct rules *rules, struct judgement *ret_judgement);
/* The tenant's quotas where no limit was asked for: nothing that is passed on is without those that the rules have. */
void judge_fill_resources(const struct rules *rules, Bulkhead__Resources *resources);

/* May the tenant have this image? `name` is "docker.io/library/busybox", without tag and digest. */
void judge_image(const char *name, const struct rules *rules, struct judgement *ret_judgement);
/* May the tenant's images have `more_bytes` beside those `held_bytes`? */
void judge_image_bytes(uint64_t held_bytes, uint64_t more_bytes, const struct rules *rules,
                       struct judgement *ret_judgement);
/* One more pull or push, beside those of the tenant's that are under way. */
void judge_transfers(uint32_t under_way, const struct rules *rules, struct judgement *ret_judgement);

/* A container of another tenant's. */
void judge_owner(const char *what, struct judgement *ret_judgement);

/* What the tenant may not choose. Strings are borrowed. */
struct fill_in {
    uint32_t id_base, monitor_uid;
    const char *cgroup_parent;
    const char *selinux_label, *selinux_mount_label, *apparmor_profile;
};

/* A spec with everything filled in. `spec` borrows from the one it was made from and from the fill-in. */
struct filled_spec {
    Bulkhead__ContainerSpec spec;
    Bulkhead__Resources resources;
    char cgroup_parent[256];
    Bulkhead__Mount *mounts;
    Bulkhead__Mount **mount_pointers;
};

/* Copies `spec` and fills in the [policyd] fields, and the tenant's quotas where no limit was asked for. */
int judge_fill(const Bulkhead__ContainerSpec *spec, const struct rules *rules, const struct fill_in *fill_in,
               struct filled_spec *ret_filled, struct bh_error *error);
void filled_spec_free(struct filled_spec *filled);
