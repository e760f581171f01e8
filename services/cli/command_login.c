/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead login
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "commands.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "fields.h"
#include "registry_auth.h"

#define PASSWORD_BYTES_MAX 65536

struct login_options {
    const char *user, *password;
    bool password_stdin;
};

/* One line of standard input, without its end. */
static int read_line(const char *prompt, char *buffer, size_t buffer_bytes, struct bh_error *error)
{
    (void)fputs(prompt, stdout);
    (void)fflush(stdout);
    if (!fgets(buffer, (int)buffer_bytes, stdin)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "cannot read the answer to \"%s\": input has ended", prompt);
    }
    buffer[strcspn(buffer, "\r\n")] = '\0';
    return 0;
}

static int read_password(char *buffer, size_t buffer_bytes, struct bh_error *error)
{
    struct termios before, silent;
    if (tcgetattr(STDIN_FILENO, &before) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "cannot ask for the password: standard input is no terminal; use --password-stdin");
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    int result = read_line("Password: ", buffer, buffer_bytes, error);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)putchar('\n');
    return result;
}

/* The whole of standard input; one line end at its end does not belong to the password. */
static int take_password(char *buffer, size_t buffer_bytes, struct bh_error *error)
{
    size_t n_read = 0;
    if (bh_read_full(STDIN_FILENO, buffer, buffer_bytes - 1, &n_read, "the password", error) < 0) {
        return -1;
    }
    buffer[n_read] = '\0';
    if (n_read > 0 && buffer[n_read - 1] == '\n') {
        buffer[--n_read] = '\0';
    }
    if (n_read > 0 && buffer[n_read - 1] == '\r') {
        buffer[n_read - 1] = '\0';
    }
    return 0;
}

static int find_credentials(struct cli *cli, const struct login_options *options, char *user, size_t user_bytes,
                            char *password, size_t password_bytes, struct bh_error *error)
{
    if (options->password_stdin && options->password) {
        return cli_misuse(cli, error, "conflicting options: cannot specify both --password and --password-stdin");
    }
    if (options->password_stdin && !options->user) {
        return cli_misuse(cli, error, "the --password-stdin option requires --username to be set");
    }
    if (options->user) {
        (void)snprintf(user, user_bytes, "%s", options->user);
    } else if (read_line("Username: ", user, user_bytes, error) < 0) {
        return -1;
    }
    if (options->password) {
        (void)fputs("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n", stderr);
        (void)snprintf(password, password_bytes, "%s", options->password);
        return 0;
    }
    return options->password_stdin ? take_password(password, password_bytes, error)
                                   : read_password(password, password_bytes, error);
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    static char user[1024], password[PASSWORD_BYTES_MAX];
    bh_autofree char *server = NULL;
    json_auto json_t *answer = NULL;
    if (registry_auth_key(arguments->count ? arguments->items[0] : "", &server, error) < 0 ||
        find_credentials(cli, values, user, sizeof(user), password, sizeof(password), error) < 0) {
        return -1;
    }
    if (!*user || !*password) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "user name and password must not be empty");
    }
    json_auto json_t *request =
        json_pack("{s:s, s:s, s:s}", "username", user, "password", password, "serveraddress", server);
    if (!request) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the credentials are not valid UTF-8");
    }
    if (engine_ask(cli->engine, "POST", "/auth", request, &answer, error) < 0 ||
        registry_auth_store(server, user, password, field_text(answer, "IdentityToken"), error) < 0) {
        return -1;
    }
    (void)fprintf(stderr, "WARNING! Your credentials are stored unencrypted in the client's configuration.\n");
    const char *status = field_text(answer, "Status");
    (void)printf("%s\n", *status ? status : "Login Succeeded");
    return 0;
}

static const struct option options_table[] = {
    {OPTION_TEXT, "password", 'p', offsetof(struct login_options, password), "string",
     "Password; others can see it in the list of processes"},
    {OPTION_FLAG, "password-stdin", 0, offsetof(struct login_options, password_stdin), NULL,
     "Take the password from STDIN"},
    {OPTION_TEXT, "username", 'u', offsetof(struct login_options, user), "string", "User name"},
    {0},
};

const struct command login_command = {
    .name = "login",
    .usage = "[OPTIONS] [SERVER]",
    .summary = "Keep credentials for a registry",
    .details =
        "The registry is asked whether they are right; then they are written to config.json in the folder of the "
        "client's configuration, which docker reads too. Without SERVER the registry is Docker Hub.",
    .example = "pass registry/ci | bulkhead login -u ci --password-stdin registry.example.org",
    .options = options_table,
    .values_bytes = sizeof(struct login_options),
    .arguments_max = 1,
    .run = run,
};
