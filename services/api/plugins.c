/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins: there are none, so the list is empty and no name is known.
 */
#include "handlers.h"
#include "json_types.h"

int handle_plugins_list(struct request *request, struct bh_error *error)
{
    auto_json_writer writer = {0};
    write_array(&writer, NULL);
    write_array_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_plugin(struct request *request, struct bh_error *error)
{
    return bh_error_set(error, BH_NOT_FOUND, "plugin \"%.128s\" not found", request->name);
}
