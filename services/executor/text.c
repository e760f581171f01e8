/* SPDX-License-Identifier: Apache-2.0
 *
 * Small checks of strings; see text.h.
 */
#include "text.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/limits.h"

#define CGROUP_PATH_BYTES_MAX 255
#define CPU_LIST_BYTES_MAX    255

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool text_is_made_of(const char *text, const char *others, size_t max)
{
    size_t length = strlen(text);
    if (length == 0 || length > max) {
        return false;
    }
    for (const char *c = text; *c; c++) {
        if (!is_alphanumeric(*c) && !strchr(others, *c)) {
            return false;
        }
    }
    return true;
}

bool text_is_one_line(const char *text, size_t max)
{
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            return false;
        }
    }
    return strlen(text) <= max;
}

/* Whether a component of a path is "." or "..". */
static bool is_dots(const char *component, size_t length)
{
    return (length == 1 && component[0] == '.') || (length == 2 && component[0] == '.' && component[1] == '.');
}

static bool has_dots(const char *path)
{
    for (const char *start = path; *start;) {
        size_t length = strcspn(start, "/");
        if (is_dots(start, length)) {
            return true;
        }
        start += length + (start[length] == '/');
    }
    return false;
}

bool text_is_path(const char *text)
{
    return text[0] == '/' && text_is_one_line(text, BH_PATH_BYTES_MAX) && !has_dots(text);
}

bool text_is_cgroup_path(const char *text)
{
    return text_is_made_of(text, "._:-/", CGROUP_PATH_BYTES_MAX) && text[0] != '/' && text[strlen(text) - 1] != '/' &&
           !strstr(text, "//") && !has_dots(text);
}

bool text_is_address(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

bool text_is_cpu_list(const char *text)
{
    if (!text_is_made_of(text, ",-", CPU_LIST_BYTES_MAX)) {
        return false;
    }
    return strspn(text, "0123456789,-") == strlen(text);
}
