/* SPDX-License-Identifier: Apache-2.0
 *
 * See websocket.h.
 */
#include "websocket.h"

#include <string.h>

#include <openssl/evp.h>

#define KEY_BYTES 16

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };
enum status { STATUS_NORMAL = 1000, STATUS_PROTOCOL_ERROR = 1002 };

int websocket_accept(const char *key, char ret_accept[static WEBSOCKET_ACCEPT_SIZE], struct bh_error *error)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* section 1.3 */
    unsigned char decoded[WEBSOCKET_KEY_SIZE], hash[EVP_MAX_MD_SIZE];
    char text[WEBSOCKET_KEY_SIZE - 1 + sizeof(guid)];
    unsigned n_hash = 0;
    size_t length = key ? strlen(key) : 0;
    /* 16 bytes are 24 characters, of which the last two are padding. */
    if (length != WEBSOCKET_KEY_SIZE - 1 || strcmp(key + length - 2, "==") != 0 ||
        EVP_DecodeBlock(decoded, (const unsigned char *)key, (int)length) != KEY_BYTES + 2) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Sec-WebSocket-Key must be 16 bytes in base64");
    }
    memcpy(text, key, length);
    memcpy(text + length, guid, sizeof(guid));
    if (!EVP_Digest(text, length + sizeof(guid) - 1, hash, &n_hash, EVP_sha1(), NULL)) {
        return bh_error_set(error, BH_INTERNAL, "SHA-1 is not available");
    }
    (void)EVP_EncodeBlock((unsigned char *)ret_accept, hash, (int)n_hash);
    return 0;
}

static void queue(struct websocket *websocket, enum opcode opcode, const unsigned char *payload, size_t n_payload)
{
    websocket->reply[0] = (unsigned char)(0x80 | opcode);
    websocket->reply[1] = (unsigned char)n_payload;
    memcpy(websocket->reply + 2, payload, n_payload);
    websocket->n_reply = 2 + n_payload;
}

static void queue_close(struct websocket *websocket, enum status status)
{
    const unsigned char payload[] = {(unsigned char)(status >> 8), (unsigned char)(status & 0xff)};
    if (!websocket->closed) {
        queue(websocket, CLOSE, payload, sizeof(payload));
        websocket->closed = true;
    }
}

void websocket_close(struct websocket *websocket)
{
    queue_close(websocket, STATUS_NORMAL);
}

/* How many bytes of head there are to be, as far as what is there tells. */
static size_t head_length(const struct websocket *websocket)
{
    if (websocket->n_head < 2) {
        return 2;
    }
    unsigned length = websocket->head[1] & 0x7f;
    return 2 + (length == 127 ? 8U : length == 126 ? 2U : 0U) + sizeof(websocket->mask);
}

/* The rules of section 5: masked, no reserved bits, control frames short and whole, a continuation of something. */
static bool begin_payload(struct websocket *websocket)
{
    const unsigned char *head = websocket->head;
    bool final = head[0] & 0x80;
    unsigned opcode = head[0] & 0x0f, short_length = head[1] & 0x7f;
    size_t n_length = short_length == 127 ? 8 : short_length == 126 ? 2 : 0;
    uint64_t length = n_length ? 0 : short_length;
    for (size_t i = 0; i < n_length; i++) {
        length = length << 8 | head[2 + i];
    }
    bool control = opcode >= CLOSE;
    bool known = opcode <= BINARY || (opcode >= CLOSE && opcode <= PONG);
    bool starts = opcode == TEXT || opcode == BINARY;
    if ((head[0] & 0x70) || !(head[1] & 0x80) || !known || length >> 63 ||
        (control && (!final || length > WEBSOCKET_CONTROL_BYTES)) || (!control && starts == websocket->in_message)) {
        return false;
    }
    memcpy(websocket->mask, head + 2 + n_length, sizeof(websocket->mask));
    websocket->in_message = control ? websocket->in_message : !final;
    websocket->opcode = opcode;
    websocket->left = length;
    websocket->position = 0;
    websocket->in_payload = true;
    return true;
}

static void end_frame(struct websocket *websocket)
{
    websocket->in_payload = false;
    websocket->n_head = 0;
    if (websocket->opcode == CLOSE) {
        queue_close(websocket, STATUS_NORMAL);
    } else if (websocket->opcode == PING) {
        queue(websocket, PONG, websocket->control, (size_t)websocket->position);
    }
}

size_t websocket_read(struct websocket *websocket, unsigned char *bytes, size_t n_bytes)
{
    size_t n_data = 0;
    for (size_t i = 0; i < n_bytes && !websocket->closed;) {
        if (!websocket->in_payload) {
            websocket->head[websocket->n_head++] = bytes[i++];
            if (websocket->n_head == head_length(websocket) && !begin_payload(websocket)) {
                queue_close(websocket, STATUS_PROTOCOL_ERROR);
            }
        }
        while (websocket->in_payload && websocket->left > 0 && i < n_bytes) {
            unsigned char byte = bytes[i++] ^ websocket->mask[websocket->position % sizeof(websocket->mask)];
            if (websocket->opcode < CLOSE) {
                bytes[n_data++] = byte; /* never ahead of what was read */
            } else {
                websocket->control[websocket->position] = byte;
            }
            websocket->position++;
            websocket->left--;
        }
        if (websocket->in_payload && websocket->left == 0) {
            end_frame(websocket);
        }
    }
    return n_data;
}

size_t websocket_head(unsigned char *end, size_t n_bytes)
{
    size_t length = n_bytes < 126 ? 2 : WEBSOCKET_HEAD_BYTES;
    unsigned char *head = end - length;
    head[0] = 0x80 | BINARY;
    head[1] = (unsigned char)(n_bytes < 126 ? n_bytes : 126);
    if (length > 2) {
        head[2] = (unsigned char)(n_bytes >> 8);
        head[3] = (unsigned char)(n_bytes & 0xff);
    }
    return length;
}
