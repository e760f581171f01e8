/* SPDX-License-Identifier: Apache-2.0
 *
 * See client_watch.h. The lock is held while events are taken and acted on, so that whoever has removed a watching
 * knows that nobody looks at it any more.
 */
#include "client_watch.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "common/cleanup.h"

#define EVENTS_AT_ONCE 32

struct client_watch {
    int epoll_fd;
    struct event *event;
    pthread_mutex_t lock;
};

static void take_events(evutil_socket_t fd, short what, void *argument)
{
    struct client_watch *watch = argument;
    struct epoll_event events[EVENTS_AT_ONCE];
    (void)what;
    pthread_mutex_lock(&watch->lock);
    int n = epoll_wait(fd, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < n; i++) {
        struct client_watching *watching = events[i].data.ptr;
        atomic_store(&watching->gone, true);
        bh_call_cancel(watching->call);
    }
    pthread_mutex_unlock(&watch->lock);
}

int client_watch_new(struct event_base *base, struct client_watch **ret_watch, struct bh_error *error)
{
    struct client_watch *watch = calloc(1, sizeof(*watch));
    if (!watch) {
        return bh_error_errno(error, ENOMEM, "watch clients");
    }
    pthread_mutex_init(&watch->lock, NULL);
    watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    watch->event =
        watch->epoll_fd < 0 ? NULL : event_new(base, watch->epoll_fd, EV_READ | EV_PERSIST, take_events, watch);
    if (!watch->event || event_add(watch->event, NULL) < 0) {
        bh_error_errno(error, errno, "watch clients");
        if (watch->event) {
            event_free(watch->event);
        }
        bh_close(&watch->epoll_fd);
        free(watch);
        return -1;
    }
    *ret_watch = watch;
    return 0;
}

int client_watch_add(struct client_watch *watch, struct client_watching *watching, struct bh_error *error)
{
    /* No event is asked for: EPOLLHUP is always reported. Once is enough. */
    struct epoll_event event = {.events = EPOLLONESHOT, .data.ptr = watching};
    if (epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, watching->fd, &event) < 0) {
        return bh_error_errno(error, errno, "watch a client");
    }
    return 0;
}

void client_watch_remove(struct client_watch *watch, struct client_watching *watching)
{
    pthread_mutex_lock(&watch->lock);
    (void)epoll_ctl(watch->epoll_fd, EPOLL_CTL_DEL, watching->fd, NULL);
    pthread_mutex_unlock(&watch->lock);
}
