#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Docker's Python SDK (Debian's python3-docker) against the engine.
# sanitize
source "$(dirname "$0")/../lib/system.sh"

step() { /usr/bin/python3 "$TESTS/lib/sdk.py" "$SOCKET" "$1" "$WORK/busybox.tar"; }

system_start
system_load
check "ping, version, info" step system
check "run: output, exit status, a program that is not there" step run
check "logs by stream, and streamed" step logs
check "attach with half-close" step attach
check "exec: output, exit status, user, folder" step exec
check "list, pause, rename, stop, start, kill, remove" step life
check "images: get, history, tag, remove, load" step images
check "plugins: there are none" step plugins
check "nothing is left behind" nothing_left
