/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of signals; see signals.h.
 */
#include <ctype.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/engine/signals.h"

/* The kernel's numbers: glibc keeps the first two real-time signals for itself, a container's program need not. */
#define KERNEL_RTMIN 34
#define KERNEL_RTMAX 64

static const struct {
    const char *name;
    uint32_t number;
} names[] = {
    {"ABRT", SIGABRT},   {"ALRM", SIGALRM},     {"BUS", SIGBUS},   {"CHLD", SIGCHLD}, {"CLD", SIGCHLD},
    {"CONT", SIGCONT},   {"FPE", SIGFPE},       {"HUP", SIGHUP},   {"ILL", SIGILL},   {"INT", SIGINT},
    {"IO", SIGIO},       {"IOT", SIGIOT},       {"KILL", SIGKILL}, {"PIPE", SIGPIPE}, {"POLL", SIGPOLL},
    {"PROF", SIGPROF},   {"PWR", SIGPWR},       {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV}, {"STKFLT", SIGSTKFLT},
    {"STOP", SIGSTOP},   {"SYS", SIGSYS},       {"TERM", SIGTERM}, {"TRAP", SIGTRAP}, {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN},   {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
    {"WINCH", SIGWINCH}, {"VTALRM", SIGVTALRM}, {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},
};

static int refuse(const char *text, struct bh_error *error)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid signal: %s", text);
}

/* Digits only, 0..64; -1 for anything else. */
static int small_number(const char *text)
{
    int number = 0;
    for (size_t i = 0; text[i]; i++) {
        if (!isdigit((unsigned char)text[i]) || i == 2) {
            return -1;
        }
        number = number * 10 + (text[i] - '0');
    }
    return text[0] && number <= KERNEL_RTMAX ? number : -1;
}

static int real_time(const char *text, const char *name, uint32_t *ret_signal, struct bh_error *error)
{
    bool from_top = strncasecmp(name, "RTMAX", 5) == 0;
    const char *offset = name + 5;
    int distance = 0;
    if (offset[0]) {
        distance = offset[0] == (from_top ? '-' : '+') ? small_number(offset + 1) : -1;
    }
    if (distance < 0 || distance > KERNEL_RTMAX - KERNEL_RTMIN) {
        return refuse(text, error);
    }
    *ret_signal = (uint32_t)(from_top ? KERNEL_RTMAX - distance : KERNEL_RTMIN + distance);
    return 0;
}

int signal_parse(const char *text, uint32_t *ret_signal, struct bh_error *error)
{
    int number = small_number(text);
    if (number > 0) {
        *ret_signal = (uint32_t)number;
        return 0;
    }
    const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i].name, name) == 0) {
            *ret_signal = names[i].number;
            return 0;
        }
    }
    if (strncasecmp(name, "RTMIN", 5) == 0 || strncasecmp(name, "RTMAX", 5) == 0) {
        return real_time(text, name, ret_signal, error);
    }
    return refuse(text, error);
}
