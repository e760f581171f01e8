/* SPDX-License-Identifier: Apache-2.0
 *
 * Info, auth and audit; see info.h.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "engine_fetcher.pb-c.h"
#include "services/engine/adopt.h"
#include "services/engine/channels.h"
#include "services/engine/database.h"
#include "services/engine/events.h"
#include "services/engine/info.h"
#include "services/engine/kernel.h"
#include "services/engine/policy.h"
#include "services/engine/registry.h"

char *os_release_value(const void *text, size_t n_bytes, const char *key, char *buffer, size_t buffer_bytes)
{
    const char *cursor = text, *end = cursor + n_bytes;
    const size_t key_length = strlen(key);
    buffer[0] = '\0';
    while (cursor && cursor < end) {
        const char *line_end = memchr(cursor, '\n', (size_t)(end - cursor));
        line_end = line_end ? line_end : end;
        size_t length = (size_t)(line_end - cursor);
        if (length > key_length && strncmp(cursor, key, key_length) == 0 && cursor[key_length] == '=') {
            const char *value = cursor + key_length + 1;
            size_t n_value = (size_t)(line_end - value);
            bool quoted = n_value >= 2 && (value[0] == '"' || value[0] == '\'') && value[n_value - 1] == value[0];
            (void)snprintf(buffer, buffer_bytes, "%.*s", (int)(quoted ? n_value - 2 : n_value), value + quoted);
            return buffer;
        }
        cursor = line_end + 1;
    }
    return buffer;
}

int get_info(struct job *job, struct bh_error *error)
{
    const Bulkhead__Config *config = job->engine->context->config;
    struct database_counts counts = {0};
    char id[37];
    if (adoption_wait(job, error) < 0 || database_engine_id(job->engine->database, id, error) < 0 ||
        database_count(job->engine->database, job->tenant_uid, &counts, error) < 0) {
        return -1;
    }
    Bulkhead__Info info = BULKHEAD__INFO__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    info.id = id;
    info.containers_running = counts.running;
    info.containers_paused = counts.paused;
    info.containers_stopped = counts.stopped;
    info.images = counts.images;
    info.version = config->version;
    info.host_name = config->host_name;
    info.state_path = config->state_path;
    info.insecure_registries = config->insecure_registries;
    info.n_insecure_registries = config->n_insecure_registries;
    info.registry_mirrors = config->registry_mirrors;
    info.n_registry_mirrors = config->n_registry_mirrors;
    info.tenant_uid = job->tenant_uid;
    char system[128], version[64];
    const Bulkhead__KernelDescribed *kernel = NULL;
    struct bh_error unknown; /* the rest is worth telling without it */
    info.operating_system =
        os_release_value(config->os_release.data, config->os_release.len, "PRETTY_NAME", system, sizeof system);
    info.os_version =
        os_release_value(config->os_release.data, config->os_release.len, "VERSION_ID", version, sizeof version);
    info.kernel = kernel_describe(job, &kernel, &unknown) == 0 ? (Bulkhead__KernelDescribed *)(uintptr_t)kernel : NULL;
    info.event_readers = events_readers(job->engine->events, job->tenant_uid);
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_INFO;
    packet.info = &info;
    (void)job_reply(job, &packet);
    return 0;
}

int check_auth(struct job *job, struct bh_error *error)
{
    const Bulkhead__CheckAuth *question = job_body(job);
    worker_auto struct bh_channel *registry = NULL;
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__CheckCredentials body = BULKHEAD__CHECK_CREDENTIALS__INIT;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_CHECK_CREDENTIALS;
    packet.check_credentials = &body;
    if (registry_open(job, question->registry_host, "", question->credentials, &registry, error) < 0 ||
        job_ask(job, registry, &packet.base, NULL, 0, 0, BULKHEAD__FETCHER_TO_ENGINE__BODY_CREDENTIALS_ACCEPTED,
                &message, error) < 0) {
        return -1;
    }
    const Bulkhead__CredentialsAccepted *accepted = bh_message_body(message);
    Bulkhead__AuthAccepted answer = BULKHEAD__AUTH_ACCEPTED__INIT;
    Bulkhead__EngineToApi reply = BULKHEAD__ENGINE_TO_API__INIT;
    answer.identity_token = accepted->identity_token;
    reply.body_case = BULKHEAD__ENGINE_TO_API__BODY_AUTH_ACCEPTED;
    reply.auth_accepted = &answer;
    (void)job_reply(job, &reply);
    return 0;
}

int check_audit(struct job *job, struct bh_error *error)
{
    struct bh_digest head;
    uint64_t records;
    if (job->tenant_uid != 0) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "the audit log is the root tenant's: ask as root");
    }
    if (policy_verify_audit(job, &records, &head, error) < 0) {
        return -1;
    }
    Bulkhead__AuditChecked checked = BULKHEAD__AUDIT_CHECKED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    checked.records = records;
    checked.head = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = head.bytes};
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_AUDIT_CHECKED;
    packet.audit_checked = &checked;
    (void)job_reply(job, &packet);
    return 0;
}
