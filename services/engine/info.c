/* SPDX-License-Identifier: Apache-2.0
 *
 * Info, auth and audit; see info.h.
 */
#include "engine_fetcher.pb-c.h"
#include "services/engine/adopt.h"
#include "services/engine/channels.h"
#include "services/engine/database.h"
#include "services/engine/info.h"
#include "services/engine/kernel.h"
#include "services/engine/policy.h"
#include "services/engine/registry.h"

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
    const Bulkhead__KernelDescribed *kernel = NULL;
    struct bh_error unknown;
    if (kernel_describe(job, &kernel, &unknown) == 0) {
        info.kernel = (Bulkhead__KernelDescribed *)(uintptr_t)kernel;
    }
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
