#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What registries are asked beside single images: every tag, mirrors of Docker Hub, what a reference means, logging in, searching.
source "$(dirname "$0")/../lib/system.sh"

"$ROOT/deploy/make-busybox-image" "$WORK/busybox.tar"
GOOD=$WORK/good
for name in library/busybox:1 team/busybox:a team/busybox:b team/busybox:c; do
    image_folder "$WORK/busybox.tar" "${name%:*}" "${name#*:}" "$GOOD" >"$WORK/digest"
done
DIGEST=$(cat "$WORK/digest")
image_folder "$WORK/busybox.tar" team/indexed 1 "$GOOD" --index >"$WORK/indexed"
plain_registry
tls_registry
odd_registry "$GOOD" --log "$WORK/requests"
client=docker
system_start --insecure_registry "$PLAIN" --insecure_registry "$ODD" --private_registry "$PLAIN" --private_registry "$ODD" \
    --private_registry "$SECURE" --registry_mirror http://127.0.0.1:1 --registry_mirror "http://$ODD/"
mkdir -p "$ENGINE/certs.d/$SECURE"
cp "$WORK/ca.crt" "$ENGINE/certs.d/$SECURE/ca.crt"
chmod -R go+rX "$ENGINE/certs.d"

api() { # METHOD PATH [CURL-FLAG...] : the body, then a line with the status
    local method=$1 path=$2
    shift 2
    curl -s --unix-socket "$SOCKET" -X "$method" -w '\n%{http_code}\n' "$@" "http://localhost$path"
}
field() { python3 -c 'import json, sys; print(eval("document" + sys.argv[1], {"document": json.loads(sys.stdin.readline())}))' "$1"; }
no_image() { equal "$(docker images -q)" ""; }
forget() { docker images -q | sort -u | xargs -r docker rmi -f >/dev/null; }
fails() {
    local pattern=$1
    shift
    exits 1 "$@" && matches "$(cat "$WORK/err")" "$pattern"
}
# with FAULT COMMAND... : the odd registry misbehaves so long
with() {
    odd_faults "[\"$1\"]"
    shift
    "$@"
    odd_faults '[]'
}

# ---- every tag ---------------------------------------------------------------------------------------

every_tag() {
    docker pull -a "$ODD/team/busybox" >"$WORK/pulled"
    equal "$(grep -c "Pulling from team/busybox" "$WORK/pulled")" 3
    equal "$(grep -c "^Digest: $DIGEST" "$WORK/pulled")" 3
    equal "$(grep -c '^Status: ' "$WORK/pulled")" 1
    grep -qx "Status: Downloaded newer image for $ODD/team/busybox" "$WORK/pulled"
    equal "$(docker images --format '{{.Tag}}' "$ODD/team/busybox" | sort | tr '\n' ' ')" "a b c "
    docker pull -a "$ODD/team/busybox" | grep -qx "Status: Image is up to date for $ODD/team/busybox"
    forget
}
page_after_page() {
    : >"$WORK/requests"
    with page=1 every_tag
    grep -q '^GET /v2/team/busybox/tags/list?n=1&last=b ' "$WORK/requests"
}
without_a_tag() {
    api POST "/images/create?fromImage=$ODD/team/busybox" >"$WORK/answer"
    equal "$(grep -c 'Pulling from team/busybox' "$WORK/answer")" 3
    forget
    api POST "/images/create?fromImage=$ODD/team/busybox:b" >"$WORK/answer"
    equal "$(docker images --format '{{.Tag}}')" b
    forget
    api POST "/images/create?fromImage=$ODD/team/busybox&tag=$DIGEST" >"$WORK/answer"
    equal "$(docker images --digests --format '{{.Digest}}')" "$DIGEST"
    forget
}
pages_without_end() { with page-loop fails 'more than [0-9]+ tags' docker pull -a "$ODD/team/busybox" && forget; }
pages_elsewhere() { with page-elsewhere=http://127.0.0.1:1/x fails 'another host' docker pull -a "$ODD/team/busybox" && no_image; }
tags_of_nothing() { fails 'not found' docker pull -a "$ODD/team/nothing" && no_image; }

# ---- mirrors -----------------------------------------------------------------------------------------

from_the_second_mirror() {
    : >"$WORK/requests"
    printf '{"auths": {"https://index.docker.io/v1/": {"auth": "YWxpY2U6c2VjcmV0"}}}' >"$DOCKER_CONFIG/config.json"
    docker pull busybox:1 >"$WORK/pulled"
    rm "$DOCKER_CONFIG/config.json"
    grep -qx "Digest: $DIGEST" "$WORK/pulled"
    grep -qx 'Status: Downloaded newer image for busybox:1' "$WORK/pulled"
    equal "$(docker inspect -f '{{.RepoTags}} {{.RepoDigests}}' busybox:1)" "[busybox:1] [busybox@$DIGEST]"
    # Docker Hub's credentials are nobody else's
    grep -q '^GET /v2/library/busybox/manifests/1 - ' "$WORK/requests"
    ! grep -q 'YWxpY2U6c2VjcmV0' "$WORK/requests" || return 1
    forget
}
mirror_that_lies() {
    with corrupt fails 'index.docker.io|registry-1.docker.io' docker pull busybox:1
    no_image
    from_the_second_mirror
}
not_on_the_mirror() { fails 'registry-1.docker.io' docker pull busybox:none && no_image; }
only_for_docker_hub() {
    : >"$WORK/requests"
    fails 'refused' docker pull 127.0.0.1:1/library/busybox:1
    equal "$(cat "$WORK/requests")" ""
}
shown_by_info() {
    equal "$(docker info -f '{{.RegistryConfig.Mirrors}} {{(index .RegistryConfig.IndexConfigs "docker.io").Mirrors}}')" \
        "[http://127.0.0.1:1/ http://$ODD/] [http://127.0.0.1:1/ http://$ODD/]"
}
bad_mirror() {
    local url
    for url in mirror.example ftp://mirror.example http://mirror.example/path https://user@mirror.example; do
        exits 2 "$BIN/bulkheadd" --state "$WORK/none" --registry_mirror "$url" && matches "$(cat "$WORK/err")" 'registry_mirror' || return 1
    done
}

# ---- what a reference means ----------------------------------------------------------------------------

distribution_of_an_image() {
    api GET "/distribution/$ODD/team/busybox:a/json" >"$WORK/answer"
    equal "$(tail -1 "$WORK/answer")" 200
    equal "$(field '["Descriptor"]["digest"]' <"$WORK/answer")" "$DIGEST"
    equal "$(field '["Descriptor"]["mediaType"]' <"$WORK/answer")" application/vnd.docker.distribution.manifest.v2+json
    equal "$(field '["Descriptor"]["size"]' <"$WORK/answer")" "$(wc -c <"$GOOD/manifests/team/busybox/a")"
    matches "$(field '["Platforms"]' <"$WORK/answer")" "'architecture': '(amd64|arm64)', 'os': 'linux'"
    no_image
}
distribution_of_an_index() {
    api GET "/distribution/$ODD/team/indexed:1/json" >"$WORK/answer"
    equal "$(field '["Descriptor"]["digest"]' <"$WORK/answer")" "$(cat "$WORK/indexed")"
    equal "$(field '["Descriptor"]["mediaType"]' <"$WORK/answer")" application/vnd.docker.distribution.manifest.list.v2+json
    equal "$(field '["Platforms"].__len__()' <"$WORK/answer")" 1
}
distribution_by_digest() {
    api GET "/distribution/$ODD/team/busybox@$DIGEST/json" >"$WORK/answer"
    equal "$(field '["Descriptor"]["digest"]' <"$WORK/answer")" "$DIGEST"
}
distribution_of_nothing() {
    api GET "/distribution/$ODD/team/busybox/json" >"$WORK/answer" # that is "latest", which is not there
    equal "$(tail -1 "$WORK/answer")" 404
    matches "$(field '["message"]' <"$WORK/answer")" 'manifest unknown'
    api GET "/distribution/$ODD/team/UPPER/json" >"$WORK/answer"
    equal "$(tail -1 "$WORK/answer")" 400
}
distribution_with_a_password() {
    api GET "/distribution/$SECURE/team/busybox:1/json" >"$WORK/answer"
    equal "$(tail -1 "$WORK/answer")" 401
    matches "$(field '["message"]' <"$WORK/answer")" 'no basic auth credentials'
    api GET "/distribution/$SECURE/team/busybox:1/json" -H "X-Registry-Auth: $(auth "$PASSWORD")" >"$WORK/answer"
    equal "$(tail -1 "$WORK/answer")" 404 # let in, and it is not there
}
auth() { printf '{"username": "alice", "password": "%s"}' "$1" | base64 -w0; }

# ---- logging in ------------------------------------------------------------------------------------------

login() { printf %s "$2" | docker login -u alice --password-stdin "$1"; }
logs_in() {
    login "$SECURE" "$PASSWORD" 2>/dev/null | grep -q 'Login Succeeded'
    grep -q "$SECURE" "$DOCKER_CONFIG/config.json"
    docker logout "$SECURE" | grep -q "Removing login credentials for $SECURE"
    ! grep -q '"auth"' "$DOCKER_CONFIG/config.json"
}
wrong_password() { fails "login attempt to https://$SECURE/v2/ failed with status: 401 Unauthorized" login "$SECURE" wrong; }
no_password() {
    api POST /auth -H 'Content-Type: application/json' -d "{\"serveraddress\": \"$SECURE\"}" >"$WORK/answer"
    equal "$(field '["message"]' <"$WORK/answer")" "Get \"https://$SECURE/v2/\": no basic auth credentials"
    equal "$(tail -1 "$WORK/answer")" 401
}
nobody_listens() { fails 'refused' login 127.0.0.1:1 x; }
no_password_needed() { login "$PLAIN" whatever 2>/dev/null | grep -q 'Login Succeeded'; }
identity_token() {
    login "$ODD" "$PASSWORD" 2>/dev/null | grep -q 'Login Succeeded'
    grep -q '"identitytoken"' "$DOCKER_CONFIG/config.json" # and not the password
    docker pull -q "$ODD/team/busybox:a"
    forget
    docker logout "$ODD" >/dev/null
    fails 'incorrect username or password|unauthorized' login "$ODD" wrong
}

# ---- searching --------------------------------------------------------------------------------------------

searches() {
    docker search "$ODD/busybox" >"$WORK/found"
    grep -qE '^library/busybox +The image library/busybox +15 +\[OK\]' "$WORK/found"
    grep -q '^team/busybox ' "$WORK/found"
    equal "$(docker search --filter is-official=true --format '{{.Name}}' "$ODD/busybox")" library/busybox
    equal "$(docker search --limit 1 --format '{{.Name}}' "$ODD/busybox" | wc -l)" 1
}
search_without_search() { fails 'Unexpected status code 404' docker search "$PLAIN/busybox"; }
bad_searches() {
    api GET '/images/search?term=x&limit=200' >"$WORK/answer"
    equal "$(field '["message"]' <"$WORK/answer")" "Limit 200 is outside the range of [1, 100]"
    equal "$(tail -1 "$WORK/answer")" 400
    api GET '/images/search?term=x&filters=%7B%22nope%22%3A%5B%22a%22%5D%7D' >"$WORK/answer"
    equal "$(tail -1 "$WORK/answer")" 400
}

check "pull -a: every tag, and one status" every_tag
check "a list of tags in pages" page_after_page
check "no tag in the API: every tag; a tag in the name; a digest as tag" without_a_tag
check "a list of tags that never ends" pages_without_end
check "a list of tags that goes on elsewhere" pages_elsewhere
check "every tag of what is not there" tags_of_nothing
check "Docker Hub's names come from the mirror that has them, without its credentials" from_the_second_mirror
check "a mirror that lies is passed by" mirror_that_lies
check "what no mirror has is Docker Hub's to answer" not_on_the_mirror
check "mirrors are for Docker Hub's names only" only_for_docker_hub
check "info shows the mirrors" shown_by_info
check "a mirror that is no URL stops the start" bad_mirror
check "distribution: an image" distribution_of_an_image
check "distribution: an index" distribution_of_an_index
check "distribution: by digest" distribution_by_digest
check "distribution: what is not there, and what is no name" distribution_of_nothing
check "distribution: a password" distribution_with_a_password
check "docker login and logout" logs_in
check "login: a wrong password" wrong_password
check "login: none" no_password
check "login: nobody listens" nobody_listens
check "login: a registry that asks for nothing" no_password_needed
check "search" searches
check "search: a registry without" search_without_search
check "search: limits and filters" bad_searches

# the same folder behind a token server
kill "$odd_pid"
while kill -0 "$odd_pid" 2>/dev/null; do sleep 0.05; done
odd_registry "$GOOD" --auth bearer --user alice --password "$PASSWORD" --port "${ODD##*:}" --log "$WORK/requests"
check "login: an identity token instead of the password" identity_token
