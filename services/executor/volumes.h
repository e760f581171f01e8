/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes on disk: volumes/<tenant's uid>/<id in hex>/, and in it `_data`, or a disk of a size (disk.h), or nothing
 * for those that have no files of their own. `_data` of a size has a project quota (project.h). Both parts of the path
 * are numbers that we made; a tenant's volumes are looked for in its own folder alone. Made and emptied in forked
 * children.
 */
#pragma once

#include "container.pb-c.h"
#include "executor.h"

#define VOLUME_DATA        "_data"
#define VOLUME_ID_BASE_MIN 65536U /* below are the host's own users */

/* Each answers the request itself, later. */
int volume_make(struct executor *executor, struct bh_request *request, const Bulkhead__MakeVolume *message,
                struct bh_error *error);
int volume_drop(struct executor *executor, const Bulkhead__DropVolume *message, struct bh_error *error);
/* Every volume of everybody. */
int volumes_list(const struct executor *executor,
                 void (*each)(uint32_t tenant_uid, const uint8_t id[static 32], void *argument), void *argument,
                 struct bh_error *error);
/* The folder of one volume. NOT_FOUND if the tenant has none of that id. */
int volume_open(const struct executor *executor, uint32_t tenant_uid, const uint8_t id[static 32], int *ret_folder,
                struct bh_error *error);
/* At the start: what was half made or half removed goes. */
int volumes_remove_leftovers(const struct executor *executor, struct bh_error *error);
