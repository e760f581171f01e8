/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's own files; see own_files.h.
 */
#include "own_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "disk.h"
#include "project.h"

#define STAT_BLOCK_BYTES 512U /* of st_blocks, see stat(3type) */

static bool is_there(const struct launch *launch, const char *name)
{
    return faccessat(launch->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int open_folder(int above, const char *name)
{
    return openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* It may be there already, from a start that was cut short. */
static int make_project(const struct launch *launch, struct bh_error *error)
{
    if (disk_check_size(launch->spec->disk_bytes, error) < 0) {
        return -1;
    }
    if (mkdirat(launch->folder, OWN_FILES_PROJECT, 0700) < 0 && errno != EEXIST) {
        return bh_error_errno(error, errno, "make the folder of the container's own files");
    }
    bh_autoclose int folder = open_folder(launch->folder, OWN_FILES_PROJECT);
    return folder < 0 ? bh_error_errno(error, errno, "open the folder of the container's own files")
                      : project_limit(folder, launch->spec->disk_bytes, error);
}

static int open_project(const struct launch *launch, int *ret_base, struct bh_error *error)
{
    bh_autoclose int base = open_folder(launch->folder, OWN_FILES_PROJECT);
    if (base < 0) {
        return bh_error_errno(error, errno, "open the folder of the container's own files");
    }
    if (project_check(base, error) < 0) {
        return bh_error_wrap(error, "the container's own files");
    }
    *ret_base = bh_steal_fd(&base);
    return 0;
}

static int open_disk(const struct launch *launch, int *ret_base, struct bh_error *error)
{
    bh_autoclose int disk = -1;
    if (disk_mount(launch->folder, &disk, error) < 0) {
        return -1;
    }
    if (layers_attach(&launch->executor->layers, disk) < 0) { /* before Linux 6.15 only what is attached is stacked */
        return bh_error_errno(error, errno, "attach the container's disk");
    }
    *ret_base = bh_steal_fd(&disk);
    return 0;
}

static int make(const struct launch *launch, struct bh_error *error)
{
    const struct container_spec *spec = launch->spec;
    return project_is_enforced(launch->folder)
               ? make_project(launch, error)
               : disk_make(launch->folder, spec->disk_bytes, spec->id_base, !spec->ephemeral, error);
}

int own_files_open(const struct launch *launch, struct own_files *ret_files, struct bh_error *error)
{
    *ret_files = (struct own_files){.base = -1};
    bool found = is_there(launch, DISK_NAME) || is_there(launch, OWN_FILES_PROJECT "/upper");
    if (!found && (launch->spec->disk_bytes == 0 || is_there(launch, "upper"))) {
        ret_files->base = fcntl(launch->folder, F_DUPFD_CLOEXEC, 0);
        return ret_files->base < 0 ? bh_error_errno(error, errno, "open the container's folder") : 0;
    }
    if (!found && make(launch, error) < 0) {
        return -1;
    }
    ret_files->is_disk = is_there(launch, DISK_NAME);
    return ret_files->is_disk ? open_disk(launch, &ret_files->base, error)
                              : open_project(launch, &ret_files->base, error);
}

void own_files_close(const struct launch *launch, struct own_files *files)
{
    if (files->is_disk && files->base >= 0) {
        layers_detach(&launch->executor->layers, files->base);
    }
    bh_close(&files->base);
}

int own_files_measure(int folder, uint64_t *ret_used_bytes, uint64_t *ret_bytes, struct bh_error *error)
{
    struct stat disk;
    *ret_used_bytes = *ret_bytes = 0;
    if (fstatat(folder, DISK_NAME, &disk, AT_SYMLINK_NOFOLLOW) == 0) {
        *ret_used_bytes = (uint64_t)disk.st_blocks * STAT_BLOCK_BYTES;
        *ret_bytes = (uint64_t)disk.st_size;
        return 0;
    }
    bh_autoclose int project = open_folder(folder, OWN_FILES_PROJECT);
    if (project < 0) {
        return errno == ENOENT ? 0 : bh_error_errno(error, errno, "open the folder of the container's own files");
    }
    return project_usage(project, ret_used_bytes, ret_bytes, error);
}
