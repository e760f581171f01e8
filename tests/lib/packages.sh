# SPDX-License-Identifier: Apache-2.0
#
# Installs Debian packages named in deploy/dependencies, those that are missing only. Sourced by deploy/quickstart and tests/run.

# packages_missing FILE SECTION... : prints the names that are not installed.
packages_missing() {
    local file=$1 section name
    shift
    for section in "$@"; do
        while read -r kind name; do
            [ "$kind" = "$section" ] || continue
            [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -c '^installed$')" != 0 ] || echo "$name"
        done <"$file"
    done
}

# packages_install FILE SECTION...
packages_install() {
    local missing
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    printf '==> installing %s\n' "${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >/dev/null
    # policy-rc.d: a test's registry or dockerd is not to start as a service of this host
    local policy=/usr/sbin/policy-rc.d made=no
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        made=yes
    fi
    local status=0
    apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null || status=$?
    [ "$made" = no ] || rm -f "$policy"
    return $status
}
