/* SPDX-License-Identifier: Apache-2.0
 *
 * What an administrator looks at, and Docker has not: the privileges of every process, as the kernel has them, and
 * whether the audit log is whole. The engine answers it to root alone.
 */
#include "common/digest.h"
#include "engine_call.h"
#include "handlers.h"

static void write_privilege(struct json_writer *writer, const Bulkhead__Privilege *row)
{
    const struct {
        const char *name;
        uint64_t mask;
    } sets[] = {
        {"inheritable", row->cap_inheritable}, {"permitted", row->cap_permitted}, {"effective", row->cap_effective},
        {"bounding", row->cap_bounding},       {"ambient", row->cap_ambient},
    };
    write_object(writer, NULL);
    write_string(writer, "role", row->role);
    write_uint(writer, "tenant_uid", row->tenant_uid);
    write_int(writer, "pid", row->pid);
    write_uint(writer, "uid", row->uid);
    write_uint(writer, "gid", row->gid);
    write_uint(writer, "seccomp", row->seccomp);
    write_uint(writer, "seccomp_filters", row->seccomp_filters);
    write_bool(writer, "no_new_privs", row->no_new_privs);
    write_object(writer, "capabilities");
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        write_format(writer, sets[i].name, "%016llx", (unsigned long long)sets[i].mask);
    }
    write_object_end(writer);
    write_uint(writer, "pss_bytes", row->pss_bytes);
    write_uint(writer, "descriptors", row->descriptors);
    write_uint(writer, "restarts", row->restarts);
    write_string(writer, "namespaces", row->namespaces);
    write_string(writer, "root", row->root);
    write_string(writer, "peers", row->peers);
    write_object_end(writer);
}

int handle_privileges(struct request *request, struct bh_error *error)
{
    auto_engine_call call = {0};
    auto_json_writer writer = {0};
    Bulkhead__GetPrivileges question = BULKHEAD__GET_PRIVILEGES__INIT;
    ENGINE_PACKET(packet, GET_PRIVILEGES, get_privileges, &question);
    if (engine_call_start(request, &packet, NULL, 0, 0, &call, error) < 0) {
        return -1;
    }
    write_array(&writer, NULL);
    for (;;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(&call, &answer, error) < 0) {
            return -1;
        }
        if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_PRIVILEGE) {
            write_privilege(&writer, bh_message_body(answer));
        }
        if (!answer->more) {
            break;
        }
    }
    write_array_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_audit_verify(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    struct bh_digest head;
    char text[BH_DIGEST_TEXT_SIZE];
    Bulkhead__CheckAudit question = BULKHEAD__CHECK_AUDIT__INIT;
    ENGINE_PACKET(packet, CHECK_AUDIT, check_audit, &question);
    if (engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_AUDIT_CHECKED, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__AuditChecked *checked = bh_message_body(answer);
    if (bh_digest_from_bytes(checked->head.data, checked->head.len, &head, error) < 0) {
        return bh_error_wrap(error, "the audit log's head");
    }
    write_object(&writer, NULL);
    write_bool(&writer, "intact", true);
    write_uint(&writer, "records", checked->records);
    write_string(&writer, "head", bh_digest_text(&head, text));
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}
