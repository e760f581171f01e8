/* SPDX-License-Identifier: Apache-2.0
 *
 * Published ports: HostConfig.PortBindings as clients write it, and what became of it as Docker shows it.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/json_write.h"

/* "PortBindings" of HostConfig, as they were asked for. */
void write_port_bindings(struct json_writer *writer, const Bulkhead__ContainerRequest *request);
/* "ExposedPorts" of Config: the client's, the image's, and those that are published. */
void write_exposed_ports(struct json_writer *writer, const Bulkhead__ContainerRequest *request,
                         const Bulkhead__ImageConfig *image);
/* "Ports" of inspect's NetworkSettings: {"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"90/tcp":null} */
void write_inspect_ports(struct json_writer *writer, const Bulkhead__ContainerDetails *details);
/* "Ports" of a list's line: [{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"}] */
void write_summary_ports(struct json_writer *writer, const Bulkhead__ContainerSummary *container);
