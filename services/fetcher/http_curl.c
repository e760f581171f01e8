/* SPDX-License-Identifier: Apache-2.0
 *
 * What libcurl is told of a request, and what it asks us while it is under way; see http_parts.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "http_parts.h"

#define RECEIVE_BUFFER_BYTES (512L * 1024L) /* libcurl's largest: fewest system calls for layers */
#define SEND_BUFFER_BYTES    (512L * 1024L)
#define HANDSHAKE_TIMEOUT_MS 10000L

/* libcurl 7.88 (Debian 12) connects even a socket that CURL_SOCKOPT_ALREADY_CONNECTED was said of (mended in 8.0), and
 * takes EISCONN for a failure. This definition goes before the C library's: a connected socket is connected. Any other
 * is left to the kernel, that is to say to our sandbox, which refuses. */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t address_bytes)
{
    struct sockaddr_storage peer;
    socklen_t peer_bytes = sizeof(peer);
    if (getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) == 0) {
        return 0;
    }
    return (int)syscall(SYS_connect, fd, address.__sockaddr__, address_bytes);
}

/* ---- libcurl's questions ------------------------------------------------------------------------- */

static curl_socket_t on_open_socket(void *argument, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    (void)address;
    struct http_message *message = argument;
    int fd = -1;
    if (connections_take(message->http->connections, message->known, &fd, &message->error) < 0) {
        message->failed = message->dial_failed = true;
        return CURL_SOCKET_BAD;
    }
    return fd;
}

static int on_socket_options(void *argument, curl_socket_t fd, curlsocktype purpose)
{
    (void)argument;
    (void)fd;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* Tells the handler once that the head is there. */
static int finish_head(struct http_message *message)
{
    if (message->head_complete) {
        return 0;
    }
    message->head_complete = true;
    if (message->handler->head(message->argument, &message->response, &message->error) < 0) {
        message->failed = true;
        return -1;
    }
    return 0;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *argument)
{
    struct http_message *message = argument;
    size_t n_bytes = size * count;
    if (message->head_complete) {
        return n_bytes; /* trailers of a chunked body mean nothing to us; libcurl bounds them */
    }
    if (response_line(&message->response, bytes, n_bytes, &message->error) < 0) {
        message->failed = true;
        return 0;
    }
    bool last = n_bytes == strspn(bytes, "\r\n") || bytes[0] == '\r' || bytes[0] == '\n';
    if (last && message->response.status >= 200 && finish_head(message) < 0) {
        return 0;
    }
    return n_bytes;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *argument)
{
    struct http_message *message = argument;
    size_t n_bytes = size * count;
    if (finish_head(message) < 0) {
        return 0;
    }
    switch (message->handler->body(message->argument, bytes, n_bytes, &message->error)) {
    case HTTP_TAKEN:
        return n_bytes;
    case HTTP_LATER:
        return CURL_WRITEFUNC_PAUSE;
    case HTTP_REFUSED:
        break;
    }
    message->failed = true;
    return 0;
}

/* libcurl wants more of the request's body. */
static size_t on_read(char *bytes, size_t size, size_t count, void *argument)
{
    struct http_message *message = argument;
    const struct http_file *file = message->file;
    uint64_t left = file->n_bytes - message->sent;
    size_t wanted = size * count < left ? size * count : (size_t)left;
    ssize_t n = wanted > 0 ? pread(file->fd, bytes, wanted, (off_t)(file->offset + message->sent)) : 0;
    if (n < 0 || (n == 0 && wanted > 0)) {
        (void)bh_error_errno(&message->error, n < 0 ? errno : ENODATA, "read what is to be uploaded");
        message->failed = true;
        return CURL_READFUNC_ABORT;
    }
    message->sent += (uint64_t)n;
    if (message->handler->sent) {
        message->handler->sent(message->argument, message->sent);
    }
    return (size_t)n;
}

/* libcurl would send the body anew, by itself, where a connection that was kept open breaks before an answer. What the
 * registry has taken by then is not for us to guess: the exchange fails, and its feature asks. */
static int on_seek(void *argument, curl_off_t offset, int origin)
{
    (void)argument;
    (void)offset;
    (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

/* ---- a request ------------------------------------------------------------------------------------ */

static int add_line(struct http_message *message, const char *line, struct bh_error *error)
{
    struct curl_slist *grown = curl_slist_append(message->headers, line);
    if (!grown) {
        return bh_error_errno(error, ENOMEM, "hold a request's headers");
    }
    message->headers = grown;
    return 0;
}

static int add_header(struct http_message *message, const char *name, const char *value, struct bh_error *error)
{
    bh_autofree char *line = NULL;
    if (asprintf(&line, "%s: %s", name, value) < 0) {
        line = NULL;
        return bh_error_errno(error, ENOMEM, "hold a request's headers");
    }
    int result = add_line(message, line, error);
    explicit_bzero(line, strlen(line));
    return result;
}

static int add_headers(struct http_message *message, const struct http_request *request, struct bh_error *error)
{
    if (request->accept && add_header(message, "Accept", request->accept, error) < 0) {
        return -1;
    }
    if (request->authorization && add_header(message, "Authorization", request->authorization, error) < 0) {
        return -1;
    }
    if (request->offset > 0) {
        char range[40];
        (void)snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)request->offset);
        if (add_header(message, "Range", range, error) < 0) {
            return -1;
        }
    }
    if (request->content_range && add_header(message, "Content-Range", request->content_range, error) < 0) {
        return -1;
    }
    /* No waiting for "100 Continue", which many registries never say: who may push has been found out by then. */
    if (request->file && add_line(message, "Expect:", error) < 0) {
        return -1;
    }
    if (request->content_type) {
        return add_header(message, "Content-Type", request->content_type, error);
    }
    bool bare = request->method != HTTP_GET && request->method != HTTP_HEAD && !request->form;
    return bare ? add_line(message, "Content-Type:", error) : 0; /* libcurl's own would be a form's */
}

static CURLcode set_tls(CURL *easy, const struct known_origin *known)
{
    const struct certs *certs = &known->certs;
    CURLcode result = CURLE_OK;
    if (certs->authorities) {
        struct curl_blob blob = {certs->authorities, certs->authorities_bytes, CURL_BLOB_NOCOPY};
        result |= curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    } else {
        result |= curl_easy_setopt(easy, CURLOPT_CAINFO, CERTS_BUNDLE);
    }
    if (certs->client) {
        struct curl_blob client = {certs->client, certs->client_bytes, CURL_BLOB_NOCOPY};
        struct curl_blob key = {certs->client_key, certs->client_key_bytes, CURL_BLOB_NOCOPY};
        result |= curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &client);
        result |= curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
    }
    result |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    result |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, known->insecure ? 0L : 1L);
    result |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, known->insecure ? 0L : 2L);
    result |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    return result;
}

/* The method, and what the request carries. */
static CURLcode set_method(struct http_message *message, const struct http_request *request)
{
    static const char *const names[] = {
        [HTTP_POST] = "POST", [HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE"};
    CURL *easy = message->easy;
    CURLcode result = CURLE_OK;
    if (request->method == HTTP_HEAD) {
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    if (request->form) {
        return curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->form);
    }
    if (request->method == HTTP_GET) {
        return CURLE_OK;
    }
    if (request->file) {
        message->file = request->file;
        result |= curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        result |= curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->file->n_bytes);
        result |= curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        result |= curl_easy_setopt(easy, CURLOPT_READDATA, message);
        result |= curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
        result |= curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER_BYTES);
    } else {
        result |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L); /* "Content-Length: 0" */
        result |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    }
    return result | curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, names[request->method]);
}

static CURLcode set_request(struct http_message *message, const struct http_request *request)
{
    char text[URL_TEXT_SIZE];
    CURL *easy = message->easy;
    CURLcode result = curl_easy_setopt(easy, CURLOPT_URL, url_format(request->url, text));
    result |= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    result |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, message->headers);
    result |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "bulkhead/" BH_VERSION);
    return result | set_method(message, request);
}

/* What libcurl may and may not do by itself. */
static CURLcode set_transport(struct http_message *message)
{
    CURL *easy = message->easy;
    CURLcode result = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    result |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    result |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    result |= curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* nothing from the environment */
    result |= curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    result |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    result |= curl_easy_setopt(easy, CURLOPT_CONNECT_TO, message->http->connect_to);
    result |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    result |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, message);
    result |= curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_options);
    result |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    result |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, message);
    result |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    result |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, message);
    result |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
    result |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, HANDSHAKE_TIMEOUT_MS);
    result |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, HTTP_SLOW_BYTES_S);
    result |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, message->slow_s);
    result |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message->curl_error);
    result |= curl_easy_setopt(easy, CURLOPT_PRIVATE, message);
    return result;
}

int http_prepare(struct http_message *message, const struct http_request *request, struct bh_error *error)
{
    const struct origin *origin = &request->url->origin;
    if (add_headers(message, request, error) < 0) {
        return -1;
    }
    return set_request(message, request) != CURLE_OK || set_transport(message) != CURLE_OK ||
                   (origin->https && set_tls(message->easy, message->known) != CURLE_OK)
               ? bh_error_set(error, BH_INTERNAL, "tell libcurl about a request")
               : 0;
}
