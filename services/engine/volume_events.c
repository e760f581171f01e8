/* SPDX-License-Identifier: Apache-2.0
 *
 * What Docker tells of volumes in its events; see volumes.h.
 */
#include <string.h>

#include "services/engine/events.h"
#include "services/engine/volumes.h"

#define VOLUME_EVENT BULKHEAD__EVENT_TYPE__EVENT_TYPE_VOLUME

struct engine_event volume_event(const struct volume_row *row, const char *action)
{
    static const struct engine_event_attribute driver = {"driver", VOLUME_DRIVER};
    return (struct engine_event){.tenant_uid = row->tenant_uid,
                                 .type = VOLUME_EVENT,
                                 .action = action,
                                 .actor = row->name,
                                 .attributes = &driver,
                                 .n_attributes = 1};
}

void volumes_emit_mounts(struct engine *engine, const struct container_row *row, bool mounted)
{
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, row->id, sizeof id.bytes);
    (void)bh_digest_hex(&id, hex);
    for (size_t i = 0; i < row->spec->n_mounts; i++) {
        const Bulkhead__Mount *mount = row->spec->mounts[i];
        const char *const mount_attributes[] = {"container",   hex,
                                                "destination", mount->target,
                                                "driver",      VOLUME_DRIVER,
                                                "propagation", "",
                                                "read/write",  mount->read_only ? "false" : "true",
                                                NULL};
        const char *const unmount_attributes[] = {"container", hex, "driver", VOLUME_DRIVER, NULL};
        if (mount->volume_name[0]) {
            events_emit_object(engine, row->tenant_uid, VOLUME_EVENT, mounted ? "mount" : "unmount", mount->volume_name,
                               mounted ? mount_attributes : unmount_attributes);
        }
    }
}
