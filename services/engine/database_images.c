/* SPDX-License-Identifier: Apache-2.0
 *
 * Images, their layers and names in the database. Every row belongs to one tenant: two tenants with the same image have
 * two rows, so nothing one of them does shows in the other's.
 */
#include <string.h>

#include "services/engine/database_internal.h"

void image_row_clear(struct image_row *row)
{
    if (row->config) {
        bulkhead__image_config__free_unpacked(row->config, NULL);
    }
    for (size_t i = 0; i < row->n_names; i++) {
        free(row->names[i]);
    }
    free(row->names);
    free(row->layers);
    memset(row, 0, sizeof *row);
}

void image_rows_free(struct image_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        image_row_clear(&rows[i]);
    }
    free(rows);
}

static int move_name(struct database *database, uint32_t tenant_uid, const char *name, const struct bh_digest *id,
                     bool *ret_moved, struct bh_error *error)
{
    struct bh_digest before = {0};
    sqlite3_stmt *find = query_begin(database, QUERY_NAME_FIND);
    (void)sqlite3_bind_int64(find, 1, tenant_uid);
    bind_text(find, 2, name);
    int found = query_step(database, find, error);
    if (found < 0 || (found == 1 && column_digest(find, 0, &before, error) < 0)) {
        return -1;
    }
    (void)sqlite3_reset(find);
    if (found == 1 && bh_digest_equal(&before, id)) {
        return 0;
    }
    *ret_moved = true;
    sqlite3_stmt *set = query_begin(database, QUERY_NAME_SET);
    (void)sqlite3_bind_int64(set, 1, tenant_uid);
    bind_text(set, 2, name);
    bind_digest(set, 3, id->bytes);
    return query_run(database, set, error);
}

static int insert_layers(struct database *database, const struct image_row *row, struct bh_error *error)
{
    for (size_t i = 0; i < row->n_layers; i++) {
        sqlite3_stmt *layer = query_begin(database, QUERY_IMAGE_LAYER_ADD);
        (void)sqlite3_bind_int64(layer, 1, row->tenant_uid);
        bind_digest(layer, 2, row->id.bytes);
        (void)sqlite3_bind_int64(layer, 3, (sqlite3_int64)i);
        bind_digest(layer, 4, row->layers[i].digest.bytes);
        (void)sqlite3_bind_int64(layer, 5, (sqlite3_int64)row->layers[i].size_bytes);
        if (query_run(database, layer, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int insert_image(struct database *database, const struct image_row *row, int64_t tagged_ns,
                        struct bh_error *error)
{
    sqlite3_stmt *add = query_begin(database, QUERY_IMAGE_ADD);
    (void)sqlite3_bind_int64(add, 1, row->tenant_uid);
    bind_digest(add, 2, row->id.bytes);
    bind_digest(add, 3, row->manifest.bytes);
    (void)sqlite3_bind_int64(add, 5, tagged_ns);
    if (row->has_parent) {
        bind_digest(add, 6, row->parent.bytes);
    }
    if (bind_message(add, 4, &row->config->base, error) < 0 || query_run(database, add, error) < 0) {
        return -1;
    }
    if (sqlite3_changes(database->handle) > 0) {
        return insert_layers(database, row, error);
    }
    sqlite3_stmt *show = query_begin(database, QUERY_IMAGE_SHOW);
    (void)sqlite3_bind_int64(show, 1, row->tenant_uid);
    bind_digest(show, 2, row->id.bytes);
    (void)sqlite3_bind_int64(show, 3, tagged_ns);
    return query_run(database, show, error);
}

static int insert_with_names(struct database *database, const struct image_row *row, const char *const *names,
                             size_t n_names, int64_t tagged_ns, bool *ret_moved, struct bh_error *error)
{
    int result = insert_image(database, row, tagged_ns, error);
    for (size_t i = 0; result == 0 && i < n_names; i++) {
        result = move_name(database, row->tenant_uid, names[i], &row->id, ret_moved, error);
    }
    return result;
}

static int insert_events(struct database *database, const struct engine_event *const *events, size_t n_events,
                         struct bh_error *error)
{
    for (size_t i = 0; i < n_events; i++) {
        if (event_insert(database, events[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

int database_add_image(struct database *database, const struct image_row *row, const char *const *names, size_t n_names,
                       int64_t tagged_ns, const struct engine_event *const *events, size_t n_events, bool *ret_moved,
                       struct bh_error *error)
{
    database_locked lock = database_lock(database);
    bool moved = false;
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    if (insert_with_names(database, row, names, n_names, tagged_ns, &moved, error) < 0 ||
        insert_events(database, events, n_events, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    if (ret_moved) {
        *ret_moved = moved;
    }
    return 0;
}

int database_add_images(struct database *database, const struct image_row *rows, size_t n_rows,
                        const struct engine_event *const *events, size_t n_events, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    bool moved;
    int result = transaction_begin(database, SURVIVES_POWER, error);
    for (size_t i = 0; result == 0 && i < n_rows; i++) {
        result = insert_with_names(database, &rows[i], (const char *const *)rows[i].names, rows[i].n_names, 0, &moved,
                                   error);
    }
    if (result < 0 || insert_events(database, events, n_events, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

static int read_layers(struct database *database, struct image_row *row, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_IMAGE_LAYERS);
    (void)sqlite3_bind_int64(statement, 1, row->tenant_uid);
    bind_digest(statement, 2, row->id.bytes);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (array_grow(&row->layers, row->n_layers, sizeof *row->layers, error) < 0) {
            return -1;
        }
        struct image_layer *layer = &row->layers[row->n_layers];
        if (column_digest(statement, 0, layer->digest.bytes, error) < 0) {
            return -1;
        }
        layer->size_bytes = (uint64_t)sqlite3_column_int64(statement, 1);
        row->n_layers++;
    }
    return found;
}

static int read_names(struct database *database, struct image_row *row, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_IMAGE_NAMES);
    (void)sqlite3_bind_int64(statement, 1, row->tenant_uid);
    bind_digest(statement, 2, row->id.bytes);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (array_grow(&row->names, row->n_names, sizeof *row->names, error) < 0) {
            return -1;
        }
        row->names[row->n_names] = strdup((const char *)sqlite3_column_text(statement, 0));
        if (!row->names[row->n_names]) {
            return bh_error_errno(error, ENOMEM, "read an image's names");
        }
        row->n_names++;
    }
    return found;
}

/* Reads the image a statement of IMAGE_COLUMNS stands on; its layers and names come from statements of their own. */
static int read_image(struct database *database, sqlite3_stmt *statement, struct image_row *ret_row,
                      struct bh_error *error)
{
    image_row_auto struct image_row row = {.last_tag_ns = sqlite3_column_int64(statement, 3),
                                           .tenant_uid = (uint32_t)sqlite3_column_int64(statement, 4),
                                           .containers = (uint32_t)sqlite3_column_int64(statement, 5),
                                           .has_parent = sqlite3_column_type(statement, 6) != SQLITE_NULL,
                                           .visible = sqlite3_column_int(statement, 7) != 0};
    ProtobufCMessage *config = NULL;
    if (column_digest(statement, 0, row.id.bytes, error) < 0 ||
        column_digest(statement, 1, row.manifest.bytes, error) < 0 ||
        (row.has_parent && column_digest(statement, 6, row.parent.bytes, error) < 0) ||
        column_message(statement, 2, &bulkhead__image_config__descriptor, &config, error) < 0) {
        return -1;
    }
    row.config = (Bulkhead__ImageConfig *)config;
    if (read_layers(database, &row, error) < 0 || read_names(database, &row, error) < 0) {
        return -1;
    }
    *ret_row = row;
    memset(&row, 0, sizeof row);
    return 0;
}

static int list_images(struct database *database, uint32_t tenant_uid, bool kept, struct image_row **ret_rows,
                       size_t *ret_n_rows, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    struct image_row *rows = NULL;
    size_t n_rows = 0;
    sqlite3_stmt *statement = query_begin(database, QUERY_IMAGES);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    (void)sqlite3_bind_int(statement, 2, kept);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (array_grow(&rows, n_rows, sizeof *rows, error) < 0 ||
            read_image(database, statement, &rows[n_rows], error) < 0) {
            found = -1;
            break;
        }
        n_rows++;
    }
    if (found < 0) {
        (void)sqlite3_reset(statement);
        image_rows_free(rows, n_rows);
        return -1;
    }
    *ret_rows = rows;
    *ret_n_rows = n_rows;
    return 0;
}

int database_images(struct database *database, uint32_t tenant_uid, struct image_row **ret_rows, size_t *ret_n_rows,
                    struct bh_error *error)
{
    return list_images(database, tenant_uid, false, ret_rows, ret_n_rows, error);
}

int database_images_kept(struct database *database, uint32_t tenant_uid, struct image_row **ret_rows,
                         size_t *ret_n_rows, struct bh_error *error)
{
    return list_images(database, tenant_uid, true, ret_rows, ret_n_rows, error);
}

int database_image(struct database *database, uint32_t tenant_uid, const struct bh_digest *id,
                   struct image_row *ret_row, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_IMAGE);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_digest(statement, 2, id->bytes);
    int found = query_step(database, statement, error);
    if (found < 0) {
        return -1;
    }
    if (found == 0) {
        char text[BH_DIGEST_TEXT_SIZE];
        return bh_error_set(error, BH_NOT_FOUND, "No such image: %s", bh_digest_text(id, text));
    }
    int result = read_image(database, statement, ret_row, error);
    (void)sqlite3_reset(statement);
    return result;
}

int database_find_name(struct database *database, uint32_t tenant_uid, const char *name, struct bh_digest *ret_id,
                       struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_NAME_FIND);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_text(statement, 2, name);
    int found = query_step(database, statement, error);
    if (found == 1 && column_digest(statement, 0, ret_id->bytes, error) < 0) {
        found = -1;
    }
    (void)sqlite3_reset(statement);
    return found;
}

int database_find_image_range(struct database *database, uint32_t tenant_uid, const uint8_t *low, const uint8_t *high,
                              struct bh_digest *ret_id, unsigned *ret_count, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_IMAGE_RANGE);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_digest(statement, 2, low);
    bind_digest(statement, 3, high);
    unsigned count = 0;
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (count++ == 0 && column_digest(statement, 0, ret_id->bytes, error) < 0) {
            (void)sqlite3_reset(statement);
            return -1;
        }
    }
    *ret_count = count;
    return found;
}

int database_set_name(struct database *database, uint32_t tenant_uid, const char *name, const struct bh_digest *id,
                      int64_t now_ns, const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    bool moved = false;
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    sqlite3_stmt *tagged = query_begin(database, QUERY_NAME_TAGGED);
    (void)sqlite3_bind_int64(tagged, 1, tenant_uid);
    bind_digest(tagged, 2, id->bytes);
    (void)sqlite3_bind_int64(tagged, 3, now_ns);
    int result = query_run(database, tagged, error);
    if (result == 0 && sqlite3_changes(database->handle) == 0) {
        char text[BH_DIGEST_TEXT_SIZE];
        result = bh_error_set(error, BH_NOT_FOUND, "No such image: %s", bh_digest_text(id, text));
    }
    if (result < 0 || move_name(database, tenant_uid, name, id, &moved, error) < 0 ||
        event_insert(database, event, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_drop_name(struct database *database, uint32_t tenant_uid, const char *name,
                       const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    sqlite3_stmt *statement = query_begin(database, QUERY_NAME_DROP);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_text(statement, 2, name);
    if (query_run(database, statement, error) < 0 ||
        event_insert(database, sqlite3_changes(database->handle) > 0 ? event : NULL, error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_hide_image(struct database *database, uint32_t tenant_uid, const struct bh_digest *id,
                        const struct engine_event *event, struct bh_error *error)
{
    static const enum query queries[] = {QUERY_NAMES_DROP, QUERY_IMAGE_HIDE};
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        sqlite3_stmt *statement = query_begin(database, queries[i]);
        (void)sqlite3_bind_int64(statement, 1, tenant_uid);
        bind_digest(statement, 2, id->bytes);
        if (query_run(database, statement, error) < 0) {
            transaction_abandon(database);
            return -1;
        }
    }
    if (query_run(database, query_begin(database, QUERY_IMAGES_FORGET), error) < 0 ||
        event_insert(database, event, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_forget_images(struct database *database, bool *ret_any, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (query_run(database, query_begin(database, QUERY_IMAGES_FORGET), error) < 0) {
        return -1;
    }
    if (ret_any) {
        *ret_any = sqlite3_changes(database->handle) > 0;
    }
    return 0;
}

/* A statement that answers with one 0 or 1. */
static int ask(struct database *database, sqlite3_stmt *statement, struct bh_error *error)
{
    int found = query_step(database, statement, error);
    int answer = found == 1 ? sqlite3_column_int(statement, 0) : found;
    (void)sqlite3_reset(statement);
    return answer;
}

int database_content_used(struct database *database, const struct bh_digest *digest, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTENT_USED);
    bind_digest(statement, 1, digest->bytes);
    return ask(database, statement, error);
}

int database_tenant_has_content(struct database *database, uint32_t tenant_uid, const struct bh_digest *digest,
                                struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTENT_OF_TENANT);
    bind_digest(statement, 1, digest->bytes);
    (void)sqlite3_bind_int64(statement, 2, tenant_uid);
    return ask(database, statement, error);
}

int database_image_bytes(struct database *database, uint32_t tenant_uid, uint64_t *ret_bytes, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_IMAGE_BYTES);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    int found = query_step(database, statement, error);
    *ret_bytes = found == 1 ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement);
    return found < 0 ? -1 : 0;
}
