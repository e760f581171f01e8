/* SPDX-License-Identifier: Apache-2.0
 *
 * How an exchange ended, in words that users search for; see http_parts.h.
 */
#include <openssl/x509_vfy.h>
#include <stdio.h>

#include "http_parts.h"

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

enum http_end http_explain(struct http_message *message, CURLcode result, struct bh_error *error)
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
