/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /distribution/{name}/json and GET /images/search: what registries say, without a pull. Names, words and
 * credentials come from the client; what is answered came from a registry, typed and bounded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/json_write.h"
#include "common/reference.h"
#include "engine_call.h"
#include "handlers.h"
#include "registry_auth.h"

#define REGISTRY_DEADLINE_MS 180000U /* a registry far away may be slow, and is tried again */

/* ---- distribution ---------------------------------------------------------------------------------- */

static const char *media_type_name(Bulkhead__MediaType type)
{
    switch (type) {
    case BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_MANIFEST:
        return "application/vnd.docker.distribution.manifest.v2+json";
    case BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_MANIFEST_LIST:
        return "application/vnd.docker.distribution.manifest.list.v2+json";
    case BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_MANIFEST:
        return "application/vnd.oci.image.manifest.v1+json";
    case BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_INDEX:
        return "application/vnd.oci.image.index.v1+json";
    default:
        return "";
    }
}

static void write_platform(struct json_writer *writer, const Bulkhead__Platform *platform)
{
    write_object(writer, NULL);
    write_string(writer, "architecture", platform->architecture);
    write_string(writer, "os", platform->os);
    if (*platform->variant) {
        write_string(writer, "variant", platform->variant);
    }
    write_object_end(writer);
}

static int answer_distribution(struct request *request, const Bulkhead__Distribution *distribution,
                               struct bh_error *error)
{
    auto_json_writer writer = {0};
    struct bh_digest digest;
    char text[BH_DIGEST_TEXT_SIZE];
    const Bulkhead__Descriptor *descriptor = distribution->descriptor;
    if (!descriptor || bh_digest_from_bytes(descriptor->digest.data, descriptor->digest.len, &digest, error) < 0) {
        return -1;
    }
    write_object(&writer, NULL);
    write_object(&writer, "Descriptor");
    write_string(&writer, "mediaType", media_type_name(descriptor->media_type));
    write_string(&writer, "digest", bh_digest_text(&digest, text));
    write_uint(&writer, "size", descriptor->size_bytes);
    write_object_end(&writer);
    write_array(&writer, "Platforms");
    for (size_t i = 0; i < distribution->n_platforms; i++) {
        write_platform(&writer, distribution->platforms[i]);
    }
    write_array_end(&writer);
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_distribution(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    struct bh_reference parsed;
    Bulkhead__InspectDistribution question = BULKHEAD__INSPECT_DISTRIBUTION__INIT;
    if (bh_reference_parse(request->name, &parsed, error) < 0 ||
        registry_auth_parse(http_head_field(&request->connection->head, "X-Registry-Auth"), &question.credentials,
                            error) < 0) {
        return -1;
    }
    question.reference = request->name;
    ENGINE_PACKET(packet, INSPECT_DISTRIBUTION, inspect_distribution, &question);
    int result =
        engine_ask(request, &packet, REGISTRY_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_DISTRIBUTION, &answer, error);
    if (question.credentials) {
        bulkhead__credentials__free_unpacked(question.credentials, NULL);
    }
    return result < 0 ? -1 : answer_distribution(request, bh_message_body(answer), error);
}

/* ---- search ---------------------------------------------------------------------------------------- */

#define SEARCH_LIMIT_DEFAULT 25
#define SEARCH_LIMIT_MAX     100

/* What the filters leave. -1 in `official` and `automated`: either. */
struct search_filters {
    int official, automated;
    long long stars;
};

static int read_truth(const Bulkhead__Filter *filter, int *ret_value, struct bh_error *error)
{
    const char *value = filter->n_values > 0 ? filter->values[0] : "";
    if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0) {
        *ret_value = 1;
    } else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0) {
        *ret_value = 0;
    } else {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter '%s=[%s]'", filter->key, value);
    }
    return 0;
}

static int read_filters(const struct request *request, struct search_filters *ret_filters, struct bh_error *error)
{
    static const char *const allowed[] = {"is-official", "is-automated", "stars", NULL};
    struct request_filters filters = {0};
    *ret_filters = (struct search_filters){.official = -1, .automated = -1};
    if (request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    int result = 0;
    for (size_t i = 0; result == 0 && i < filters.n_filters; i++) {
        const Bulkhead__Filter *filter = filters.filters[i];
        if (strcmp(filter->key, "is-official") == 0) {
            result = read_truth(filter, &ret_filters->official, error);
        } else if (strcmp(filter->key, "is-automated") == 0) {
            result = read_truth(filter, &ret_filters->automated, error);
        }
        for (size_t j = 0; result == 0 && strcmp(filter->key, "stars") == 0 && j < filter->n_values; j++) {
            char *end = NULL;
            long long stars = strtoll(filter->values[j], &end, 10);
            if (end == filter->values[j] || *end) {
                result = bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter 'stars=[%s]'", filter->values[j]);
            } else if (stars > ret_filters->stars) {
                ret_filters->stars = stars;
            }
        }
    }
    request_filters_free(&filters);
    return result;
}

static bool passes(const struct search_filters *filters, const Bulkhead__SearchResult *result)
{
    return (filters->official < 0 || filters->official == result->official) &&
           (filters->automated < 0 || filters->automated == result->automated) && result->stars >= filters->stars;
}

/* "registry.example:5000/word" asks that registry; a word alone asks Docker Hub's index. */
static int split_term(const char *term, char *host, size_t host_size, const char **ret_word, struct bh_error *error)
{
    const char *slash = strchr(term, '/');
    size_t length = slash ? (size_t)(slash - term) : 0;
    bool named = slash && (memchr(term, '.', length) || memchr(term, ':', length) ||
                           (length == strlen("localhost") && strncmp(term, "localhost", length) == 0));
    *ret_word = named ? slash + 1 : term;
    int n = named ? snprintf(host, host_size, "%.*s", (int)length, term) : snprintf(host, host_size, "index.docker.io");
    return n > 0 && (size_t)n < host_size
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "the registry's name in the search term is too long");
}

static int read_limit(const struct request *request, uint32_t *ret_limit, struct bh_error *error)
{
    const char *text = http_parameter(&request->target, "limit");
    char *end = NULL;
    long limit = text && *text ? strtol(text, &end, 10) : SEARCH_LIMIT_DEFAULT;
    if (end && *end) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid limit \"%s\": it must be a number", text);
    }
    if (limit == 0) {
        limit = SEARCH_LIMIT_DEFAULT;
    }
    if (limit < 1 || limit > SEARCH_LIMIT_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Limit %ld is outside the range of [1, %d]", limit,
                            SEARCH_LIMIT_MAX);
    }
    *ret_limit = (uint32_t)limit;
    return 0;
}

static void write_result(struct json_writer *writer, const Bulkhead__SearchResult *result)
{
    write_object(writer, NULL);
    write_int(writer, "star_count", result->stars);
    write_bool(writer, "is_official", result->official);
    write_string(writer, "name", result->name);
    write_bool(writer, "is_automated", result->automated);
    write_string(writer, "description", result->description);
    write_object_end(writer);
}

static int answer_search(struct request *request, struct engine_call *call, const struct search_filters *filters,
                         struct bh_error *error)
{
    auto_json_writer writer = {0};
    write_array(&writer, NULL);
    for (bool more = true; more;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(call, &answer, error) < 0) {
            return -1;
        }
        if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_SEARCH_RESULT && passes(filters, bh_message_body(answer))) {
            write_result(&writer, bh_message_body(answer));
        }
        more = answer->more;
    }
    write_array_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_images_search(struct request *request, struct bh_error *error)
{
    const char *term = http_parameter(&request->target, "term");
    const char *word = NULL;
    char host[256];
    struct search_filters filters;
    auto_engine_call call = {0};
    Bulkhead__SearchRegistry question = BULKHEAD__SEARCH_REGISTRY__INIT;
    if (!term || !*term) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "parameter term is missing: it must say what to search for");
    }
    if (read_limit(request, &question.limit, error) < 0 || read_filters(request, &filters, error) < 0 ||
        split_term(term, host, sizeof(host), &word, error) < 0 ||
        registry_auth_parse(http_head_field(&request->connection->head, "X-Registry-Auth"), &question.credentials,
                            error) < 0) {
        return -1;
    }
    question.registry_host = host;
    question.term = (char *)(uintptr_t)word;
    ENGINE_PACKET(packet, SEARCH_REGISTRY, search_registry, &question);
    int result = engine_call_start(request, &packet, NULL, 0, REGISTRY_DEADLINE_MS, &call, error);
    if (question.credentials) {
        bulkhead__credentials__free_unpacked(question.credentials, NULL);
    }
    return result < 0 ? -1 : answer_search(request, &call, &filters, error);
}
