/* SPDX-License-Identifier: Apache-2.0
 *
 * The unchanged docker client against the real api process.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "engine_double.h"

static void begin(void)
{
    engine_double_start();
    engine_double_listen();
    setenv("DOCKER_CONFIG", engine.harness.folder, 1);
}

TestSuite(docker, .init = begin, .fini = engine_double_stop, .timeout = 120);

static char output[1024 * 1024];

/* Runs `docker ARGUMENTS` (a shell line); the exit code. What it printed is in `output`. */
static int docker(const char *arguments)
{
    char line[1024];
    snprintf(line, sizeof(line), "exec 2>&1; export DOCKER_HOST=unix://%s; timeout 60 docker %s", engine.socket_path,
             arguments);
    FILE *stream = popen(line, "r");
    cr_assert(stream);
    size_t n = fread(output, 1, sizeof(output) - 1, stream);
    output[n] = '\0';
    int status = pclose(stream);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(docker, version_and_info)
{
    cr_assert_eq(docker("version"), 0, "%s", output);
    cr_assert(strstr(output, "API version:      1.47 (minimum version 1.24)"), "%s", output);
    cr_assert_eq(docker("info"), 0, "%s", output);
    cr_assert(strstr(output, "Server Version: test"), "%s", output);
}

Test(docker, images)
{
    cr_assert_eq(docker("images --format '{{.Repository}}:{{.Tag}} {{.Size}}'"), 0, "%s", output);
    cr_assert_str_eq(output, "busybox:latest 4.24MB\n");
    cr_assert_eq(
        docker("inspect --format '{{.Architecture}} {{.Created}} {{len .RootFS.Layers}}' --type image busybox"), 0,
        "%s", output);
    cr_assert_str_eq(output, "amd64 2023-11-14T22:13:20.123456789Z 1\n");
    cr_assert_eq(docker("history --format '{{.CreatedBy}} {{.Size}}' busybox"), 0, "%s", output);
    cr_assert_str_eq(output, "CMD sh 0B\nADD rootfs 777B\n");
    cr_assert_eq(docker("tag busybox mine:1"), 0, "%s", output);
    const char *mine = strstr(engine.asked, "mine:1"); /* newer clients put docker.io/library/ before it */
    cr_assert(mine && !mine[strlen("mine:1")], "%s", engine.asked);
    cr_assert_eq(docker("rmi busybox"), 0, "%s", output);
    cr_assert_str_eq(output, "Untagged: busybox:latest\n");
    cr_assert_eq(docker("image inspect missing"), 1);
    cr_assert(strstr(output, "No such image"), "%s", output);
}

Test(docker, pull)
{
    cr_assert_eq(docker("pull busybox"), 0, "%s", output);
    cr_assert(strstr(output, "latest: Pulling from library/busybox"), "%s", output);
    cr_assert(strstr(output, "Digest: sha256:1111"), "%s", output);
    cr_assert_eq(docker("pull denied"), 1);
    cr_assert(strstr(output, "pull access denied"), "%s", output);
    cr_assert_eq(docker("pull broken"), 1);
    cr_assert(strstr(output, "digest is wrong"), "%s", output);
}

Test(docker, load)
{
    cr_assert_eq(docker("load -q -i /etc/passwd || cat /etc/passwd | docker load"), 0, "%s", output);
    cr_assert(strstr(output, "Loaded image: busybox:latest"), "%s", output);
}

Test(docker, run_attached)
{
    engine.exit_code = 7;
    cr_assert_eq(docker("run --network none busybox sh < /dev/null"), 7, "%s", output);
    cr_assert(strstr(output, "begun\n"), "%s", output);
}

Test(docker, run_with_a_hundred_megabytes_each_way)
{
    cr_assert_eq(docker("run -i --rm --network none busybox cat < /dev/zero 2>/dev/null | head -c 100000000 | cksum"),
                 0);
    engine.exit_code = 0;
    cr_assert_eq(docker("version >/dev/null; head -c 100000000 /dev/urandom > $DOCKER_CONFIG/in; "
                        "timeout 60 docker run -i --rm --network none busybox cat < $DOCKER_CONFIG/in "
                        "2>$DOCKER_CONFIG/err > $DOCKER_CONFIG/out; "
                        "echo $?; cmp $DOCKER_CONFIG/in $DOCKER_CONFIG/out && echo same; cat $DOCKER_CONFIG/err"),
                 0, "%s", output);
    cr_assert_str_eq(output, "0\nsame\nbegun\n");
}

Test(docker, run_detached)
{
    cr_assert_eq(docker("run -d busybox sleep 1"), 0, "%s", output);
    cr_assert(strstr(output, DOUBLE_ID_HEX), "%s", output);
}

Test(docker, a_program_that_is_missing_is_127)
{
    cr_assert_eq(docker("run --network none busybox nope"), 127, "%s", output);
    cr_assert(strstr(output, "executable file not found in $PATH"), "%s", output);
}

Test(docker, containers)
{
    cr_assert_eq(docker("ps -a --format '{{.ID}} {{.Image}} {{.Command}} {{.Status}} {{.Names}}'"), 0, "%s", output);
    cr_assert_str_eq(output, "111111111111 busybox \"sh -c 'echo hello w…\" Exited (3) 2 hours ago wonderful\n");
    cr_assert_eq(docker("inspect --format '{{.Path}} {{.State.Status}} {{.State.StartedAt}} "
                        "{{.HostConfig.NetworkMode}} {{.Config.Hostname}}' c1"),
                 0, "%s", output);
    cr_assert_str_eq(output, "sh created 0001-01-01T00:00:00Z  box\n");
    cr_assert_eq(docker("stop -t 3 c1"), 0, "%s", output);
    cr_assert_eq(engine.stop_timeout_s, 3);
    cr_assert_eq(docker("kill -s HUP c1"), 1, "%s", output);
    cr_assert_str_eq(engine.asked, "HUP");
    cr_assert(strstr(output, "is not running"), "%s", output);
    cr_assert_eq(docker("rename c1 c2"), 0, "%s", output);
    cr_assert_eq(docker("pause c1"), 0, "%s", output);
    cr_assert_eq(docker("unpause c1"), 0, "%s", output);
    cr_assert_eq(docker("rm -f c1"), 0, "%s", output);
    cr_assert_eq(docker("container inspect absent"), 1, "%s", output);
    cr_assert(strstr(output, "No such"), "%s", output);
}
