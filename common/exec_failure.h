/* SPDX-License-Identifier: Apache-2.0
 *
 * How a failure of the program itself is told from all other reasons why a process could not join a container: the
 * executor adds these contexts to it, innermost first. With "OCI runtime exec failed" in front they are Docker's words,
 * which clients print as they are.
 */
#pragma once

#define BH_EXEC_FAILED_INNER "unable to start container process"
#define BH_EXEC_FAILED_OUTER "exec failed"
