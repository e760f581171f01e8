/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's multi interface, stripped to HTTP/1.1 over sockets that were handed over; see http.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "http_parts.h"

int http_init(struct bh_error *error)
{
    CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
    return result == CURLE_OK ? 0 : bh_error_set(error, BH_INTERNAL, "start libcurl: %s", curl_easy_strerror(result));
}

int http_new(struct connections *connections, struct http **ret_http, struct bh_error *error)
{
    struct http *http = calloc(1, sizeof(*http));
    if (http) {
        http->connections = connections;
        http->multi = curl_multi_init();
        http->connect_to = curl_slist_append(NULL, "::192.0.2.1:");
    }
    if (!http || !http->multi || !http->connect_to) {
        http_free(http);
        return bh_error_errno(error, ENOMEM, "start the HTTP client");
    }
    (void)curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    *ret_http = http;
    return 0;
}

void http_free(struct http *http)
{
    if (http) {
        (void)curl_multi_cleanup(http->multi);
        curl_slist_free_all(http->connect_to);
        free(http);
    }
}

static void message_free(struct http_message *message)
{
    (void)curl_multi_remove_handle(message->http->multi, message->easy);
    curl_easy_cleanup(message->easy);
    curl_slist_free_all(message->headers);
    free(message);
}

int http_start(struct http *http, const struct http_request *request, const struct http_handler *handler,
               void *argument, struct http_message **ret_message, struct bh_error *error)
{
    const struct origin *origin = &request->url->origin;
    struct known_origin *known = NULL;
    if (connections_know(http->connections, origin, &known, error) < 0) {
        return -1;
    }
    if (!origin->https && !known->insecure) {
        return bh_error_set(error, BH_PERMISSION_DENIED,
                            "plain HTTP to %s:%u refused: only registries that insecure_registries names may use it",
                            origin->host, origin->port);
    }
    struct http_message *message = calloc(1, sizeof(*message));
    if (!message) {
        return bh_error_errno(error, ENOMEM, "hold a request");
    }
    *message = (struct http_message){
        .http = http, .known = known, .handler = handler, .argument = argument, .easy = curl_easy_init()};
    message->slow_s = request->method == HTTP_PUT ? HTTP_DIGESTING_S : HTTP_SLOW_S;
    if (!message->easy || http_prepare(message, request, error) < 0 ||
        curl_multi_add_handle(http->multi, message->easy) != CURLM_OK) {
        message_free(message);
        return bh_error_set(error, BH_INTERNAL, "prepare a request to %s", origin->host);
    }
    *ret_message = message;
    return 0;
}

void http_resume(struct http_message *message)
{
    (void)curl_easy_pause(message->easy, CURLPAUSE_CONT);
}

void http_abort(struct http_message *message)
{
    if (message) {
        message_free(message);
    }
}

void http_wait(struct http *http, struct curl_waitfd *extra, unsigned n_extra, int timeout_ms)
{
    (void)curl_multi_poll(http->multi, extra, n_extra, timeout_ms, NULL);
}

void http_perform(struct http *http)
{
    int n_running = 0, n_left = 0;
    (void)curl_multi_perform(http->multi, &n_running);
    for (const CURLMsg *info; (info = curl_multi_info_read(http->multi, &n_left));) {
        if (info->msg != CURLMSG_DONE) {
            continue;
        }
        CURLcode result = info->data.result; /* `info` dies with the handle */
        struct http_message *message = NULL;
        (void)curl_easy_getinfo(info->easy_handle, CURLINFO_PRIVATE, &message);
        struct bh_error error = {0};
        enum http_end end = http_explain(message, result, &error);
        const struct http_handler *handler = message->handler;
        void *argument = message->argument;
        struct response response = message->response;
        message_free(message);
        handler->done(argument, &response, end, end == HTTP_COMPLETE ? NULL : &error);
    }
}
