/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's multi interface, stripped to HTTP/1.1 over sockets that were handed over; see http.h.
 */
#include "http.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

#define RECEIVE_BUFFER_BYTES (512L * 1024L) /* libcurl's largest: fewest system calls for layers */
#define SEND_BUFFER_BYTES    (512L * 1024L)
#define HANDSHAKE_TIMEOUT_MS 10000L

struct http {
    CURLM *multi;
    struct connections *connections;
    /* Every connection "goes to" a documentation address (RFC 5737): libcurl then has nothing to resolve, and the
     * socket that it asks us for is connected already. */
    struct curl_slist *connect_to;
};

struct http_message {
    struct http *http;
    CURL *easy;
    struct known_origin *known;
    struct curl_slist *headers;
    const struct http_handler *handler;
    void *argument;
    struct response response;
    const struct http_file *file; /* the body, or NULL */
    uint64_t sent;                /* bytes of it that libcurl has taken */
    long slow_s;
    bool head_complete;
    bool failed; /* `error` holds why we stopped libcurl */
    bool dial_failed;
    struct bh_error error;
    char curl_error[CURL_ERROR_SIZE];
};

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
    if (!message->easy || add_headers(message, request, error) < 0 || set_request(message, request) != CURLE_OK ||
        set_transport(message) != CURLE_OK || (origin->https && set_tls(message->easy, known) != CURLE_OK) ||
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

/* ---- how it ended ---------------------------------------------------------------------------------- */

/* Go's words for what OpenSSL found wrong with a certificate, since users search for them. */
static void describe_certificate(const struct http_message *message, char text[static CURL_ERROR_SIZE + 8])
{
    const size_t text_size = CURL_ERROR_SIZE + 8;
    long verified = X509_V_OK;
    (void)curl_easy_getinfo(message->easy, CURLINFO_SSL_VERIFYRESULT, &verified);
    switch (verified) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        (void)snprintf(text, text_size, "x509: certificate signed by unknown authority");
        return;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        (void)snprintf(text, text_size, "x509: certificate has expired or is not yet valid");
        return;
    case X509_V_OK:
        (void)snprintf(text, text_size, "x509: %s", message->curl_error); /* the name does not match */
        return;
    default:
        (void)snprintf(text, text_size, "x509: %s", X509_verify_cert_error_string(verified));
    }
}

static enum http_end explain(struct http_message *message, CURLcode result, struct bh_error *error)
{
    const char *host = message->known->origin.host;
    const char *said = message->curl_error[0] ? message->curl_error : curl_easy_strerror(result);
    char certificate[CURL_ERROR_SIZE + 8];
    if (message->failed) {
        *error = message->error;
        return message->dial_failed ? HTTP_UNREACHABLE : HTTP_STOPPED;
    }
    switch (result) {
    case CURLE_OK:
        return HTTP_COMPLETE;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        describe_certificate(message, certificate);
        (void)bh_error_set(error, BH_UNAVAILABLE, "tls: failed to verify certificate: %s (host %s)", certificate, host);
        return HTTP_UNTRUSTED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        (void)bh_error_set(error, BH_UNAVAILABLE, "tls: handshake with %s failed: %s", host, said);
        return HTTP_NO_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        (void)bh_error_set(error, BH_DEADLINE_EXCEEDED, "%s is too slow: %s", host, said);
        return message->response.status == 0 ? HTTP_NO_TLS : HTTP_SLOW;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        (void)bh_error_set(error, BH_UNAVAILABLE, "%s closed the connection: %s", host, said);
        return message->response.status == 0 ? HTTP_NO_TLS : HTTP_BROKEN;
    case CURLE_COULDNT_CONNECT:
        (void)bh_error_set(error, BH_UNAVAILABLE, "%s closed the connection at once", host);
        return HTTP_UNREACHABLE;
    case CURLE_SEND_FAIL_REWIND:
        (void)bh_error_set(error, BH_UNAVAILABLE, "%s closed the connection", host);
        return HTTP_BROKEN;
    case CURLE_PARTIAL_FILE:
        (void)bh_error_set(error, BH_UNAVAILABLE, "%s stopped in the middle: %s", host, said);
        return HTTP_BROKEN;
    default:
        (void)bh_error_set(error, BH_UNAVAILABLE, "ask %s: %s", host, said);
        return HTTP_STOPPED;
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
        enum http_end end = explain(message, result, &error);
        const struct http_handler *handler = message->handler;
        void *argument = message->argument;
        struct response response = message->response;
        message_free(message);
        handler->done(argument, &response, end, end == HTTP_COMPLETE ? NULL : &error);
    }
}
