/* SPDX-License-Identifier: Apache-2.0
 *
 * See networks.h. A row comes before the bridge and goes before it; what a death in between leaves is put right at the
 * next start.
 */
#include "services/engine/networks.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/fields.h"
#include "common/io.h"
#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/network_events.h"
#include "services/engine/network_options.h"
#include "services/engine/network_ranges.h"
#include "services/engine/policy_networks.h"
#include "services/engine/resolve.h"

#define AVOID_MAX 16 /* subnets of the host's that are tried before giving up */

struct networks {
    pthread_mutex_t mutex;
    uint8_t (*made)[ENGINE_ID_BYTES]; /* since netd was started */
    size_t n_made;
    int64_t started_ns;
};

int networks_new(struct networks **ret_networks, struct bh_error *error)
{
    struct networks *networks = calloc(1, sizeof *networks);
    if (!networks) {
        return bh_error_errno(error, ENOMEM, "make the list of networks");
    }
    (void)pthread_mutex_init(&networks->mutex, NULL);
    networks->started_ns = bh_wall_ns();
    *ret_networks = networks;
    return 0;
}

void networks_free(struct networks *networks)
{
    if (networks) {
        (void)pthread_mutex_destroy(&networks->mutex);
        free(networks->made);
        free(networks);
    }
}

/* ---- which are made ------------------------------------------------------------------------------ */

/* Called with the lock held. */
static size_t find_made(const struct networks *networks, const uint8_t *id)
{
    size_t i = 0;
    while (i < networks->n_made && memcmp(networks->made[i], id, ENGINE_ID_BYTES) != 0) {
        i++;
    }
    return i;
}

static bool is_made(struct networks *networks, const uint8_t *id)
{
    (void)pthread_mutex_lock(&networks->mutex);
    bool made = find_made(networks, id) < networks->n_made;
    (void)pthread_mutex_unlock(&networks->mutex);
    return made;
}

static void note_made(struct networks *networks, const uint8_t *id)
{
    (void)pthread_mutex_lock(&networks->mutex);
    if (find_made(networks, id) == networks->n_made) {
        uint8_t(*larger)[ENGINE_ID_BYTES] = realloc(networks->made, (networks->n_made + 1) * sizeof *larger);
        if (larger) { /* else it is made once more the next time */
            networks->made = larger;
            memcpy(networks->made[networks->n_made++], id, ENGINE_ID_BYTES);
        }
    }
    (void)pthread_mutex_unlock(&networks->mutex);
}

static void note_dropped(struct networks *networks, const uint8_t *id)
{
    (void)pthread_mutex_lock(&networks->mutex);
    size_t i = find_made(networks, id);
    if (i < networks->n_made) {
        memmove(networks->made[i], networks->made[--networks->n_made], ENGINE_ID_BYTES);
    }
    (void)pthread_mutex_unlock(&networks->mutex);
}

void networks_forget_made(struct networks *networks)
{
    (void)pthread_mutex_lock(&networks->mutex);
    networks->n_made = 0;
    (void)pthread_mutex_unlock(&networks->mutex);
}

/* ---- pools --------------------------------------------------------------------------------------- */

static struct network_pools choice_of(const struct job *job, struct ip_pools *pools)
{
    ip_pools_read(job->engine->context->config, pools);
    return (struct network_pools){.pools = pools->list, .n_pools = pools->n};
}

/* ---- fixed networks ------------------------------------------------------------------------------ */

bool network_is_linked(const struct network_row *row)
{
    return strcmp(row->request->driver, "host") != 0 && strcmp(row->request->driver, "null") != 0;
}

bool network_is_default(const struct network_row *row)
{
    return row->fixed && network_is_linked(row);
}

static int new_row(uint32_t tenant_uid, const Bulkhead__NetworkRequest *request, struct network_row *row,
                   struct bh_error *error)
{
    ProtobufCMessage *copy = NULL;
    *row = (struct network_row){.tenant_uid = tenant_uid, .created_ns = bh_wall_ns()};
    if (getrandom(row->id, sizeof row->id, 0) != (ssize_t)sizeof row->id) {
        return bh_error_errno(error, errno, "make a network's id");
    }
    if (message_copy(&request->base, &copy, error) < 0) {
        return -1;
    }
    row->request = (Bulkhead__NetworkRequest *)copy;
    return 0;
}

static int add_fixed(struct job *job, uint32_t tenant_uid, const char *name, const char *driver,
                     const struct network_pools *pools, struct bh_error *error)
{
    network_row_auto struct network_row row = {0};
    Bulkhead__NetworkRequest request = BULKHEAD__NETWORK_REQUEST__INIT;
    Bulkhead__AddressRange range = BULKHEAD__ADDRESS_RANGE__INIT, *ranges = &range;
    request.name = (char *)(uintptr_t)name;
    request.driver = (char *)(uintptr_t)driver;
    request.ipv4 = true;
    request.ranges = &ranges;
    request.n_ranges = strcmp(driver, "bridge") == 0;
    if (new_row(tenant_uid, &request, &row, error) < 0) {
        return -1;
    }
    row.fixed = true;
    if (database_add_network(job->engine->database, &row, pools, error) < 0) {
        return error->code == BH_ALREADY_EXISTS ? 0 : bh_error_wrap(error, "make the network %s", name);
    }
    return 0;
}

int networks_ensure(struct job *job, uint32_t tenant_uid, struct bh_error *error)
{
    static const char *const fixed[][2] = {{"none", "null"}, {"host", "host"}, {NETWORK_DEFAULT, "bridge"}};
    network_row_auto struct network_row row = {0};
    struct ip_pools pools;
    int found = database_find_network(job->engine->database, tenant_uid, NETWORK_DEFAULT, &row, error);
    if (found != 0) { /* it is the last that is added */
        return found < 0 ? -1 : 0;
    }
    const struct network_pools choice = choice_of(job, &pools);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (add_fixed(job, tenant_uid, fixed[i][0], fixed[i][1], &choice, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- finding ------------------------------------------------------------------------------------- */

/* One that is just being made is not there yet. */
static bool is_there(const struct network_row *row)
{
    return row->fixed || row->made;
}

int network_find(struct job *job, uint32_t tenant_uid, const char *reference, struct network_row *ret_row,
                 struct bh_error *error)
{
    network_row_auto struct network_row row = {0};
    uint8_t low[ENGINE_ID_BYTES], high[ENGINE_ID_BYTES];
    unsigned count = 0;
    int found = 0;
    if (networks_ensure(job, tenant_uid, error) < 0) {
        return -1;
    }
    const bool is_id = resolve_prefix(reference, low, high);
    if (is_id && memcmp(low, high, sizeof low) == 0) {
        found = database_network(job->engine->database, low, &row, error);
        found = found == 1 && row.tenant_uid != tenant_uid ? 0 : found;
    }
    if (found == 0) {
        network_row_clear(&row);
        found = database_find_network(job->engine->database, tenant_uid, reference, &row, error);
    }
    if (found == 0 && is_id) {
        found = database_find_network_range(job->engine->database, tenant_uid, low, high, &row, &count, error);
        if (found == 0 && count > 1) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "network %s is ambiguous (%u matches found based on ID prefix)", reference, count);
        }
        found = found < 0 ? -1 : (int)count;
    }
    if (found < 0) {
        return -1;
    }
    if (found == 0 || !is_there(&row)) {
        return bh_error_set(error, BH_NOT_FOUND, "network %.300s not found", reference);
    }
    *ret_row = row;
    memset(&row, 0, sizeof row);
    return 0;
}

/* ---- making -------------------------------------------------------------------------------------- */

/* The subnets that were chosen for it turned out to be the host's: false if there are none, or too many already. */
static bool avoid_chosen(const struct network_row *row, struct ip_subnet avoid[static AVOID_MAX], size_t *n_avoid)
{
    bool any = false;
    for (size_t i = 0; i < row->request->n_ranges; i++) {
        if (row->request->ranges[i]->chosen && *n_avoid < AVOID_MAX) {
            avoid[(*n_avoid)++] = range_subnet(row->request->ranges[i]);
            any = true;
        }
    }
    return any;
}

/* One attempt: 1 if a subnet overlaps with one of the host's. Unless it is 0, nothing is left. */
static int try_to_create(struct job *job, struct network_row *row, const struct network_pools *pools,
                         struct bh_error *error)
{
    struct network_event event;
    struct bh_error ignored = {0};
    int result = -1;
    if (database_add_network(job->engine->database, row, pools, error) < 0) {
        return -1;
    }
    if (policy_make_network(job, row, error) == 0) {
        if (database_network_made(job->engine->database, row->id, network_event(&event, row, "create", NULL), error) ==
            0) {
            note_made(job->engine->networks, row->id);
            return 0;
        }
        (void)policy_drop_network(job, row, &ignored);
    } else if (error->code == BH_UNAVAILABLE || error->code == BH_DEADLINE_EXCEEDED) {
        (void)policy_drop_network(job, row, &ignored); /* the answer may have been lost, not the network */
    } else if (error->code == BH_ALREADY_EXISTS) {
        result = 1;
    }
    (void)database_delete_network(job->engine->database, row->id, NULL, &ignored);
    return result;
}

int network_create(struct job *job, const Bulkhead__NetworkRequest *request, struct network_row *ret_row,
                   struct bh_error *error)
{
    struct ip_pools pools;
    struct ip_subnet avoid[AVOID_MAX];
    struct network_pools choice = choice_of(job, &pools);
    choice.avoid = avoid;
    job_shield(job);
    for (;;) {
        network_row_auto struct network_row row = {0};
        if (new_row(job->tenant_uid, request, &row, error) < 0) {
            return -1;
        }
        int result = try_to_create(job, &row, &choice, error);
        if (result == 0) {
            row.made = true;
            *ret_row = row;
            memset(&row, 0, sizeof row);
        }
        if (result <= 0) {
            return result;
        }
        if (!avoid_chosen(&row, avoid, &choice.n_avoid)) {
            error->code = BH_PERMISSION_DENIED; /* as Docker has it */
            return -1;
        }
        bh_error_clear(error);
    }
}

int network_make(struct job *job, struct network_row *row, struct bh_error *error)
{
    struct ip_subnet avoid[AVOID_MAX];
    struct ip_pools pools;
    struct network_pools choice = choice_of(job, &pools);
    choice.avoid = avoid;
    if (!network_is_linked(row) || is_made(job->engine->networks, row->id)) {
        return 0;
    }
    while (policy_make_network(job, row, error) < 0) {
        if (error->code != BH_ALREADY_EXISTS || row->made || row->endpoints > 0 ||
            !avoid_chosen(row, avoid, &choice.n_avoid)) {
            return -1;
        }
        bh_error_clear(error);
        if (database_move_network(job->engine->database, row, &choice, error) < 0) {
            return -1;
        }
    }
    if (!row->made && database_network_made(job->engine->database, row->id, NULL, error) < 0) {
        return -1;
    }
    row->made = true;
    note_made(job->engine->networks, row->id);
    return 0;
}

/* ---- removing ------------------------------------------------------------------------------------ */

int network_remove(struct job *job, const struct network_row *row, struct bh_error *error)
{
    struct network_event event;
    struct bh_error failure = {0};
    job_shield(job);
    if (database_delete_network(job->engine->database, row->id, network_event(&event, row, "destroy", NULL), error) <
        0) {
        return -1;
    }
    note_dropped(job->engine->networks, row->id);
    if (policy_drop_network(job, row, &failure) < 0) {
        bh_log_failure(BH_LOG_WARNING, &failure, "the bridge of a removed network stays until networks are settled");
    }
    return 0;
}

void networks_forget_half_made(struct job *job)
{
    struct network_row *rows = NULL;
    size_t n_rows = 0;
    struct bh_error error = {0};
    if (database_networks(job->engine->database, 0, true, &rows, &n_rows, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "networks cannot be looked at");
        return;
    }
    for (size_t i = 0; i < n_rows; i++) {
        if (!is_there(&rows[i]) && rows[i].created_ns < job->engine->networks->started_ns &&
            database_delete_network(job->engine->database, rows[i].id, NULL, &error) < 0) {
            bh_log_failure(BH_LOG_WARNING, &error, rows[i].request->name);
        }
    }
    network_rows_free(rows, n_rows);
}
