/* SPDX-License-Identifier: Apache-2.0
 *
 * `bulkhead`, the command line. Runs with the user's own rights, holds no privilege, and reaches the engine through its
 * Docker API socket like any other client: what the engine answers is only ever printed.
 */
#include "commands.h"

int main(int argc, char **argv)
{
    return commands_run(argc, argv);
}
