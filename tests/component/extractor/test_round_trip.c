/* SPDX-License-Identifier: Apache-2.0
 *
 * Real archives by the real tar: the mounted image equals what `tar -x` makes of the same bytes.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "image.h"
#include "job.h"

static struct extractor extractor;
static char folder[] = "/tmp/bh-trip-XXXXXX";

static void start(void)
{
    extractor_start(&extractor);
    cr_assert(mkdtemp(folder));
}

static bool run(const char *script)
{
    char command[4096];
    (void)snprintf(command, sizeof(command), "set -e; cd %s; %s", folder, script);
    int status = system(command); /* NOLINT: words of ours alone */
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void stop(void)
{
    extractor_stop(&extractor);
    char command[64];
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_assert_eq(system(command), 0); /* NOLINT */
}

TestSuite(extractor_round_trip, .init = start, .fini = stop, .timeout = 600);

/* Packs folder/src as `options` say, unpacks it with tar to folder/out, and compares folder/out with the mounted image.
 */
static void round_trip(const char *options)
{
    char script[1024], archive[PATH_MAX], image[PATH_MAX], expected[PATH_MAX];
    (void)snprintf(script, sizeof(script),
                   "rm -rf out layer; mkdir out; tar %s -cf layer -C src .; "
                   "tar --xattrs '--xattrs-include=*' --numeric-owner -pxf layer -C out",
                   options);
    cr_assert(run(script), "%s", options);
    (void)snprintf(archive, sizeof(archive), "%s/layer", folder);
    (void)snprintf(image, sizeof(image), "%s/image", folder);
    (void)snprintf(expected, sizeof(expected), "%s/out", folder);
    bh_autoclose int source = open(archive, O_RDONLY | O_CLOEXEC);
    bh_autoclose int target = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct extracted result;
    cr_assert_eq(extractor_layer_fd(&extractor, source, target, &result), BH_OK, "%s: %s", options,
                 extractor.error.message);
    cr_assert(image_is_sound(target), "%s", options);
    struct mounted mounted;
    image_mount(target, &mounted);
    cr_assert(trees_are_equal(expected, mounted.folder), "%s", options);
    image_unmount(&mounted);
}

Test(extractor_round_trip, everything_a_tree_can_hold_in_every_format)
{
    cr_assert(run("mkdir -p src/a/b/c src/empty; echo text > src/a/file; ln src/a/file src/a/b/hard;"
                  "ln -s ../file src/a/b/soft; ln -s /nowhere src/dangling; mkfifo src/fifo; mknod src/null c 1 3;"
                  "mknod src/disk b 8 17; chmod 4755 src/a/file; mkdir -m 1777 src/tmp; mkdir -m 2775 src/group;"
                  "chown 65534:12345 src/a/b; touch -d '1969-07-20 20:17:40.5' src/moon; : > src/zero;"
                  "head -c 1000000 /dev/urandom > src/random; truncate -s 5M src/sparse; echo end >> src/sparse;"
                  "touch \"src/new\nline\" src/-dash src/!bang \"src/caf\303\251\" \"src/raw\377\";"
                  "mkdir -p src/$(printf 'long%.0s' $(seq 50))/$(printf 'name%.0s' $(seq 50));"
                  "touch -h -d '2001-02-03 04:05:06.789012345' src/a/b/soft"));
    static const char *const formats[] = {"--format=gnu",    "--format=pax",    "--format=pax -S",
                                          "--format=gnu -S", "--format=pax -z", "--format=pax --zstd",
                                          "--format=gnu -J", "--format=pax -j"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        round_trip(formats[i]);
    }
}

#define XATTRS "--format=pax --xattrs '--xattrs-include=*'"

Test(extractor_round_trip, attributes_and_file_capabilities)
{
    cr_assert(run("mkdir -p src/d; cp /bin/true src/tool; setfattr -n user.one -v 1 src/tool;"
                  "setfattr -n user.two -v $(printf 'v%.0s' $(seq 1000)) src/d;"
                  "setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 src/tool"));
    round_trip(XATTRS);
}

Test(extractor_round_trip, a_system_s_own_files)
{
    cr_assert(run("mkdir src; cp -a /etc /usr/sbin src/ 2>/dev/null || true; rm -f src/etc/mtab"));
    round_trip(XATTRS " -z");
}

Test(extractor_round_trip, a_file_of_two_gibibytes)
{
    cr_assert(run("mkdir src; truncate -s 2147483647 src/large; echo end >> src/large"));
    round_trip("--format=gnu -S");
    round_trip("--format=pax");
}
