/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of the options about devices, each into an element of the API's list.
 */
#pragma once

#include <jansson.h>

#include "common/error.h"

/* "/dev/a[:/dev/b][:rwm]" -> {"PathOnHost", "PathInContainer", "CgroupPermissions"} */
int value_device(const char *text, json_t **ret_device, struct bh_error *error);
/* "/dev/sda:500" -> {"Path", "Weight"}; "/dev/sda:1mb" and "/dev/sda:1000" -> {"Path", "Rate"} */
int value_device_weight(const char *text, json_t **ret_device, struct bh_error *error);
int value_device_bytes(const char *text, json_t **ret_device, struct bh_error *error);
int value_device_rate(const char *text, json_t **ret_device, struct bh_error *error);
/* "c 1:3 rwm", "a *:* rwm" */
int value_device_rule_check(const char *text, struct bh_error *error);
/* "all", "2", "device=0,1" -> a DeviceRequest */
int value_gpus(const char *text, json_t **ret_request, struct bh_error *error);
