/* SPDX-License-Identifier: Apache-2.0
 *
 * Spawn, wire, restart; see supervisor.h. From a child it reads fixed-size records only, from a client nothing at all:
 * the accepted connection goes, unread, to the api process of the uid that the kernel attests.
 */
#include "supervisor.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients.h"
#include "common/channel.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "helper.h"
#include "listener.h"
#include "privileges.h"
#include "sandbox.h"
#include "supervisor_internal.h"
#include "wiring.h"

#define BACKOFF_MAX_MS 10000
#define STABLE_MS      5000 /* a helper that lived this long starts again at once */
#define STOP_GRACE_MS  5000

struct helper *supervisor_find_helper(struct supervisor *supervisor, enum bh_role role, uint32_t tenant_uid)
{
    struct helper *helper;
    TAILQ_FOREACH(helper, &supervisor->helpers, next)
    {
        if (helper->role == role && (role != BH_ROLE_API || helper->tenant_uid == tenant_uid)) {
            return helper;
        }
    }
    return NULL;
}

/* ---- wiring ----------------------------------------------------------------------------------- */

/* Gives two running helpers a fresh pair. The kernel's copies of the ends are all that remains. */
static int connect_pair(struct helper *from, struct helper *to, struct bh_error *error)
{
    int ends[2];
    if (bh_channel_pair(ends, error) < 0) {
        return -1;
    }
    bh_autoclose int asks = ends[0];
    bh_autoclose int answers = ends[1];
    if (helper_tell(from, BH_CONTROL_PEER, to->role, to->tenant_uid, 0, asks, error) < 0 ||
        helper_tell(to, BH_CONTROL_PEER, from->role, from->tenant_uid, 0, answers, error) < 0) {
        return bh_error_wrap(error, "wire %s to %s", bh_role_name(from->role), bh_role_name(to->role));
    }
    return 0;
}

/* Wires one helper to every peer that runs; those that start later wire themselves to it. */
static void wire_helper(struct supervisor *supervisor, struct helper *helper)
{
    for (const struct wire *wire = wiring; wire->from != BH_ROLE_NONE; wire++) {
        if (wire->from != helper->role && wire->to != helper->role) {
            continue;
        }
        enum bh_role other = wire->from == helper->role ? wire->to : wire->from;
        struct helper *peer;
        TAILQ_FOREACH(peer, &supervisor->helpers, next)
        {
            if (peer->role != other || peer->control < 0) {
                continue;
            }
            struct helper *from = wire->from == helper->role ? helper : peer;
            struct helper *to = from == helper ? peer : helper;
            struct bh_error peer_error;
            if (connect_pair(from, to, &peer_error) < 0) {
                bh_log_failure(BH_LOG_WARNING, &peer_error, "a peer cannot be wired");
                /* The one that does not read is ended; its restart wires both again. */
                (void)kill(peer->pid, SIGKILL);
            }
        }
    }
}

/* ---- records from helpers --------------------------------------------------------------------- */

static void start_listening(struct supervisor *supervisor)
{
    struct helper *helper;
    TAILQ_FOREACH(helper, &supervisor->helpers, next)
    {
        if (!helper->ready) {
            return;
        }
    }
    if (!supervisor->listening) {
        supervisor->listening = true;
        (void)event_add(supervisor->accept_event, NULL);
        notify_service_manager("READY=1");
        bh_log_info("ready on %s", supervisor->made_socket ? supervisor->settings->socket : "the passed socket");
    }
}

static int answer_privileges(struct supervisor *supervisor, struct helper *asker, uint64_t value,
                             struct bh_error *error)
{
    bh_autofree struct bh_privilege_row *rows = calloc(TENANTS_MAX + BH_ROLE_COUNT, sizeof(*rows));
    size_t n = 0;
    if (!rows) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the privileges table");
    }
    const struct helper self = {.role = BH_ROLE_SUPERVISOR, .pid = getpid()};
    n += privileges_read(&self, &rows[n], error) == 0;
    struct helper *helper;
    TAILQ_FOREACH(helper, &supervisor->helpers, next)
    {
        if (helper->pid > 0 && n < TENANTS_MAX + BH_ROLE_COUNT && privileges_read(helper, &rows[n], error) == 0) {
            n++;
        }
    }
    bh_autoclose int memfd = -1;
    if (bh_memfd_sealed("privileges", rows, n * sizeof(*rows), &memfd, error) < 0) {
        return -1;
    }
    return helper_tell(asker, BH_CONTROL_PRIVILEGES, BH_ROLE_NONE, 0, value, memfd, error);
}

static void on_record(evutil_socket_t socket, short what, void *argument)
{
    (void)what;
    struct helper *helper = argument;
    struct supervisor *supervisor = helper->owner;
    struct bh_control record;
    struct bh_error error;
    bh_autoclose int fd = -1;
    int received = bh_control_receive(socket, &record, &fd, &error);
    if (received == 1 && record.kind == BH_CONTROL_READY && fd < 0) {
        helper->ready = helper->was_ready = true;
        start_listening(supervisor);
    } else if (received == 1 && record.kind == BH_CONTROL_PRIVILEGES && helper->role == BH_ROLE_ENGINE && fd < 0) {
        if (answer_privileges(supervisor, helper, record.value, &error) < 0) {
            bh_log_failure(BH_LOG_WARNING, &error, "tell the privileges");
        }
    } else {
        /* End of file, or something that only a helper gone wrong would say: SIGCHLD does the rest. */
        if (helper->pid > 0) {
            (void)kill(helper->pid, SIGKILL);
        }
        event_free(helper->readable);
        helper->readable = NULL;
    }
}

/* ---- life and death --------------------------------------------------------------------------- */

static void retry_later(struct helper *helper)
{
    const struct supervisor *supervisor = helper->owner;
    bool stable = bh_now_ms() - helper->started_at_ms >= STABLE_MS;
    helper->backoff_ms = stable ? 0 : helper->backoff_ms ? helper->backoff_ms * 2 : 50;
    if (helper->backoff_ms > BACKOFF_MAX_MS) {
        helper->backoff_ms = BACKOFF_MAX_MS;
    }
    const struct timeval pause = {.tv_sec = (time_t)(helper->backoff_ms / 1000),
                                  .tv_usec = (suseconds_t)(helper->backoff_ms % 1000) * 1000};
    if (!supervisor->stopping) {
        (void)evtimer_add(helper->retry, &pause);
    }
}

static void on_retry(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct helper *helper = argument;
    helper->restarts++;
    supervisor_start_helper(helper);
}

static int try_start(struct helper *helper, struct bh_error *error)
{
    struct supervisor *supervisor = helper->owner;
    if (helper_spawn(helper, supervisor->settings, helpers_log_end(&supervisor->log), error) < 0) {
        return -1;
    }
    helper->readable = event_new(supervisor->base, helper->control, EV_READ | EV_PERSIST, on_record, helper);
    if (!helper->readable || event_add(helper->readable, NULL) < 0) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "watch %s", bh_role_name(helper->role));
    }
    if (helper_introduce(helper, supervisor->settings, &supervisor->folders, error) < 0) {
        return -1;
    }
    wire_helper(supervisor, helper);
    return helper_tell(helper, BH_CONTROL_GO, BH_ROLE_NONE, 0, helper->was_ready, -1, error);
}

void supervisor_start_helper(struct helper *helper)
{
    struct bh_error error;
    if (try_start(helper, &error) == 0) {
        return;
    }
    bh_log_failure(BH_LOG_ERROR, &error, "start a helper");
    if (helper->pid > 0) {
        (void)kill(helper->pid, SIGKILL); /* SIGCHLD tries again */
    } else {
        helper->started_at_ms = bh_now_ms();
        retry_later(helper);
    }
}

struct helper *supervisor_add_helper(struct supervisor *supervisor, enum bh_role role, uint32_t tenant_uid,
                                     uint32_t uid)
{
    struct helper *helper = calloc(1, sizeof(*helper));
    if (!helper) {
        return NULL;
    }
    helper->role = role;
    helper->tenant_uid = tenant_uid;
    helper->uid = uid;
    helper->control = -1;
    helper->owner = supervisor;
    helper->retry = evtimer_new(supervisor->base, on_retry, helper);
    TAILQ_INSERT_TAIL(&supervisor->helpers, helper, next);
    return helper;
}

static void stop(struct supervisor *supervisor);

/* One that ends by itself before the engine has ever served has said why it cannot start, and would say so again: the
 * start has failed. One that somebody kills is started again, then as always. */
static bool refuses_to_start(const struct supervisor *supervisor, const struct helper *helper, int status)
{
    return !supervisor->listening && !helper->was_ready && WIFEXITED(status) && WEXITSTATUS(status) != 0;
}

/* An api process is only needed while somebody speaks to it: it is not restarted but forgotten. */
static void bury(struct supervisor *supervisor, struct helper *helper, int status)
{
    if (WIFSIGNALED(status)) {
        bh_log_error("%s (pid %d) was ended by signal %d", bh_role_name(helper->role), (int)helper->pid,
                     WTERMSIG(status));
    } else {
        bh_log_warning("%s (pid %d) ended with status %d", bh_role_name(helper->role), (int)helper->pid,
                       WEXITSTATUS(status));
    }
    helper_forget(helper);
    if (supervisor->stopping) {
        return;
    }
    if (refuses_to_start(supervisor, helper, status)) {
        supervisor->refused = helper->role;
        stop(supervisor);
        return;
    }
    if (helper->role == BH_ROLE_API) {
        TAILQ_REMOVE(&supervisor->helpers, helper, next);
        event_free(helper->retry);
        free(helper);
    } else {
        retry_later(helper);
    }
}

static void on_child(evutil_socket_t number, short what, void *argument)
{
    (void)number;
    (void)what;
    struct supervisor *supervisor = argument;
    int status;
    pid_t pid;
    bool any = false;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct helper *helper;
        TAILQ_FOREACH(helper, &supervisor->helpers, next)
        {
            if (helper->pid == pid) {
                bury(supervisor, helper, status);
                break;
            }
        }
    }
    struct helper *helper;
    TAILQ_FOREACH(helper, &supervisor->helpers, next)
    {
        any = any || helper->pid > 0;
    }
    if (supervisor->stopping && !any) {
        (void)event_base_loopbreak(supervisor->base);
    }
}

/* ---- signals ---------------------------------------------------------------------------------- */

static void on_reload(evutil_socket_t number, short what, void *argument)
{
    (void)number;
    (void)what;
    struct helper *policyd = supervisor_find_helper(argument, BH_ROLE_POLICYD, 0);
    struct bh_error error;
    if (policyd && helper_tell(policyd, BH_CONTROL_RELOAD, BH_ROLE_NONE, 0, 0, -1, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "reload the rules");
    }
}

static void on_grace_over(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct supervisor *supervisor = argument;
    struct helper *helper;
    TAILQ_FOREACH(helper, &supervisor->helpers, next)
    {
        if (helper->pid > 0) {
            (void)kill(helper->pid, SIGKILL);
        }
    }
}

static void stop(struct supervisor *supervisor)
{
    const struct timeval grace = {.tv_sec = STOP_GRACE_MS / 1000};
    bool any = false;
    if (supervisor->stopping) {
        return;
    }
    supervisor->stopping = true;
    notify_service_manager("STOPPING=1");
    (void)event_del(supervisor->accept_event);
    struct helper *helper;
    TAILQ_FOREACH(helper, &supervisor->helpers, next)
    {
        (void)evtimer_del(helper->retry);
        if (helper->pid > 0) {
            any = true;
            (void)helper_tell(helper, BH_CONTROL_STOP, BH_ROLE_NONE, 0, 0, -1, NULL);
        }
    }
    (void)event_base_once(supervisor->base, -1, EV_TIMEOUT, on_grace_over, supervisor, &grace);
    if (!any) {
        (void)event_base_loopbreak(supervisor->base);
    }
}

static void on_stop(evutil_socket_t number, short what, void *argument)
{
    (void)number;
    (void)what;
    stop(argument);
}

/* ---- the whole -------------------------------------------------------------------------------- */

static int watch_signals(struct supervisor *supervisor, struct bh_error *error)
{
    static const struct {
        int number;
        event_callback_fn handler;
    } signals[] = {{SIGCHLD, on_child}, {SIGHUP, on_reload}, {SIGTERM, on_stop}, {SIGINT, on_stop}};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct event *event = evsignal_new(supervisor->base, signals[i].number, signals[i].handler, supervisor);
        if (!event || evsignal_add(event, NULL) < 0) {
            return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "watch signal %d", signals[i].number);
        }
    }
    (void)signal(SIGPIPE, SIG_IGN);
    return 0;
}

/* Helpers leave their root by pivot_root(2), which the kernel refuses below a plain chroot. Better said once, here. */
static int require_movable_root(struct bh_error *error)
{
    struct statx root;
    if (statx(AT_FDCWD, "/", 0, STATX_TYPE, &root) < 0) {
        return bh_error_errno(error, errno, "look at the root folder");
    }
    return (root.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) && !(root.stx_attributes & STATX_ATTR_MOUNT_ROOT)
               ? bh_error_set(error, BH_FAILED_PRECONDITION,
                              "the root folder is no mount, as in a plain chroot, so that no helper can leave it: bind "
                              "mount it on itself and enter it with pivot_root(8)")
               : 0;
}

int supervisor_run(const struct settings *settings, struct bh_error *error)
{
    const struct bh_sandbox_context sandbox = {.folders = NULL};
    struct supervisor supervisor = {.settings = settings, .listener = -1};
    TAILQ_INIT(&supervisor.helpers);
    if (geteuid() != 0) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "bulkheadd must be started by root (uid 0), not by uid %u",
                            geteuid());
    }
    if (require_movable_root(error) < 0 ||
        folders_open(settings, &supervisor.folders, error) < 0 || /* its lock protects a live engine's socket */
        listener_open(settings, &supervisor.listener, &supervisor.made_socket, error) < 0 ||
        bh_sandbox_enter(&supervisor_sandbox, &sandbox, error) < 0) {
        return -1;
    }
    helpers_log_open(&supervisor.log);
    supervisor.base = event_base_new();
    if (!supervisor.base || watch_signals(&supervisor, error) < 0 ||
        helpers_log_watch(&supervisor.log, supervisor.base, error) < 0) {
        return bh_error_wrap(error, "prepare the event loop");
    }
    supervisor.accept_event =
        event_new(supervisor.base, supervisor.listener, EV_READ | EV_PERSIST, clients_accept, &supervisor);
    for (const enum bh_role *role = shared_roles; *role != BH_ROLE_NONE; role++) {
        struct helper *helper = supervisor_add_helper(&supervisor, *role, 0, settings->uid_base + (uint32_t)*role);
        if (!helper || !supervisor.accept_event) {
            return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for helpers");
        }
        supervisor_start_helper(helper);
    }
    (void)clients_api_for(&supervisor, 0); /* root's own: the first command need not wait for it */
    (void)event_base_dispatch(supervisor.base);
    helpers_log_drain(&supervisor.log);
    if (supervisor.made_socket) {
        (void)unlink(settings->socket);
    }
    if (supervisor.refused != BH_ROLE_NONE) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "%s could not start, and has said why",
                            bh_role_name(supervisor.refused));
    }
    bh_log_info("stopped");
    return 0;
}
