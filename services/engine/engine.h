/* SPDX-License-Identifier: Apache-2.0
 *
 * What every part of the engine can reach: one struct, made at the start and never replaced.
 */
#pragma once

#include "common/service.h"

struct database;
struct jobs;
struct live_table;
struct content;
struct waiters;
struct privileges;
struct adoption;
struct garbage;
struct events;
struct health;
struct samples;
struct networks;

struct engine {
    struct bh_service_context *context;
    struct database *database;     /* images, names, containers */
    struct jobs *jobs;             /* who is working for whom */
    struct live_table *live;       /* what a container has beyond its row: lock, monitor, waiting clients */
    struct content *content;       /* which digests are being fetched, kept, or deleted right now */
    struct garbage *garbage;       /* whether a collection runs */
    struct waiters *waiters;       /* clients of `wait` */
    struct events *events;         /* clients of `events` */
    struct health *health;         /* whose health is checked, and when */
    struct samples *samples;       /* numbers of the containers that are watched */
    struct networks *networks;     /* which are made in the kernel */
    struct privileges *privileges; /* questions put to the supervisor */
    struct adoption *adoption;     /* whether the start-up's reconciliation is done */
};
