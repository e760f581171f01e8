#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Pushing to real registries: plain, TLS with a password, a token server. What was pushed is read back by skopeo and podman, which share no code
# with us.
source "$(dirname "$0")/../lib/system.sh"

plain_registry
tls_registry
mkdir "$WORK/pushed"
odd_registry "$WORK/pushed" --write --log "$WORK/requests"
client=docker
system_start --insecure_registry "$PLAIN" --insecure_registry "$ODD" --private_registry "$PLAIN" --private_registry "$ODD" \
    --private_registry "$SECURE"
system_load
mkdir -p "$ENGINE/certs.d/$SECURE"
cp "$WORK/ca.crt" "$ENGINE/certs.d/$SECURE/ca.crt"
chmod -R go+rX "$ENGINE/certs.d"

digest_of() { sed -n 's/.*digest: \(sha256:[0-9a-f]*\) size: .*/\1/p' "$1" | tail -1; }
push() { docker push "$@" >"$WORK/push" 2>"$WORK/err"; }
says() { grep -qE "$1" "$WORK/push"; }
diff_ids() { docker inspect -f '{{range .RootFS.Layers}}{{println .}}{{end}}' "$1" | sed '/^$/d'; }
odd_digest() { sha256sum "$WORK/pushed/manifests/$1" | sed 's/^/sha256:/; s/ .*//'; }
# fails PATTERN COMMAND... : exit code 1 and a line that says why
fails() {
    local pattern=$1
    shift
    exits 1 "$@" && matches "$(cat "$WORK/err")" "$pattern"
}

pushes() {
    docker tag busybox "$PLAIN/team/busybox:1"
    push "$PLAIN/team/busybox:1"
    says "^The push refers to repository \[$PLAIN/team/busybox\]$" && says '^[0-9a-f]{12}: Preparing$' && says '^[0-9a-f]{12}: Pushed$' &&
        says '^1: digest: sha256:[0-9a-f]{64} size: [0-9]+$'
    digest_of "$WORK/push" >"$WORK/first"
    equal "$(curl -sfI -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$PLAIN/v2/team/busybox/manifests/1" |
        tr -d '\r' | sed -n 's/^Docker-Content-Digest: //p')" "$(cat "$WORK/first")"
    equal "$(docker inspect -f '{{index .RepoDigests 0}}' "$PLAIN/team/busybox:1")" "$PLAIN/team/busybox@$(cat "$WORK/first")"
}
pushes_with_our_client() {
    bulkhead push "$PLAIN/team/busybox:1" >"$WORK/push"
    says ': Layer already exists$' && equal "$(digest_of "$WORK/push")" "$(cat "$WORK/first")"
}
pushes_again() {
    push "$PLAIN/team/busybox:1"
    says '^[0-9a-f]{12}: Layer already exists$' && ! says Pushed && equal "$(digest_of "$WORK/push")" "$(cat "$WORK/first")"
}
# the very same bytes, whoever makes them: the registry holds nothing of it that we could reuse
compresses_always_the_same() {
    docker tag busybox "$ODD/team/busybox:1"
    push "$ODD/team/busybox:1" && says ': Pushed$' && equal "$(digest_of "$WORK/push")" "$(cat "$WORK/first")"
}
mounts() {
    docker tag busybox "$PLAIN/other/busybox:1"
    push "$PLAIN/other/busybox:1"
    says '^[0-9a-f]{12}: Mounted from team/busybox$' && equal "$(digest_of "$WORK/push")" "$(cat "$WORK/first")"
}
all_tags() {
    docker tag busybox "$PLAIN/all/busybox:a"
    docker tag busybox "$PLAIN/all/busybox:b"
    push -a "$PLAIN/all/busybox"
    says '^a: digest: '
    says '^b: digest: '
    equal "$(curl -sf "http://$PLAIN/v2/all/busybox/tags/list" | python3 -c 'import json, sys; print(sorted(json.load(sys.stdin)["tags"]))')" "['a', 'b']"
}
as_an_event() { eventually told_as_an_event; } # the client asks up to the second that has just begun
told_as_an_event() {
    docker events --since 10m --until 0s --filter event=push --format '{{.Type}} {{.Actor.ID}} {{.Actor.Attributes.name}}' >"$WORK/events"
    grep -qx "image $PLAIN/team/busybox:1 $PLAIN/team/busybox" "$WORK/events"
}
stream_of_the_api() {
    curl -sf --unix-socket "$SOCKET" -X POST -H 'X-Registry-Auth: e30=' "http://localhost/images/$PLAIN/all/busybox/push" >"$WORK/stream"
    python3 - "$(cat "$WORK/first")" "$WORK/stream" <<'END'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[2])]
assert "The push refers to repository" in lines[0]["status"], lines[0]
assert [line["aux"]["Tag"] for line in lines if "aux" in line] == ["a", "b"], lines
assert all(line["aux"]["Digest"] == sys.argv[1] and line["aux"]["Size"] > 0 for line in lines if "aux" in line), lines
assert {"status": "Preparing", "progressDetail": {}}.items() <= lines[1].items(), lines[1]
END
}
skopeo_reads_it() {
    equal "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$PLAIN/team/busybox:1")" "$(cat "$WORK/first")"
    # copying verifies each digest, the diff IDs of the config included
    skopeo copy -q --src-tls-verify=false "docker://$PLAIN/team/busybox:1" "dir:$WORK/copied"
    equal "$(python3 -c 'import json, sys; m = json.load(open(sys.argv[1])); print(m["schemaVersion"], m["mediaType"], len(m["layers"]))' \
        "$WORK/copied/manifest.json")" "2 application/vnd.docker.distribution.manifest.v2+json 1"
    for blob in "$WORK"/copied/????????????????????????????????????????????????????????????????; do
        equal "$(sha256sum <"$blob" | cut -c-64)" "$(basename "$blob")"
    done
}
podman_pulls_it() {
    local podman=(env -u DOCKER_CONFIG podman --root "$WORK/podman" --runroot "$WORK/podman.run" --storage-driver vfs)
    "${podman[@]}" pull -q --tls-verify=false "$PLAIN/team/busybox:1" >/dev/null
    local found
    found=$("${podman[@]}" image inspect --format '{{.Digest}} {{range .RootFS.Layers}}{{.}}{{end}}' "$PLAIN/team/busybox:1")
    "${podman[@]}" rmi -f -a >/dev/null
    equal "$found" "$(cat "$WORK/first") $(diff_ids busybox)"
}
# what was pulled keeps its digest wherever it goes, for its layers were packed by somebody else
keeps_what_was_pulled() {
    head -c 300000 /dev/urandom >"$WORK/data"
    tar -C "$WORK" -cf "$WORK/layer.tar" data
    python3 "$TESTS/lib/images.py" archive "$WORK/foreign.tar" foreign:latest "$WORK/layer.tar"
    image_folder "$WORK/foreign.tar" team/foreign 1 "$WORK/pushed" >"$WORK/foreign"
    docker pull -q "$ODD/team/foreign:1" >/dev/null
    docker tag "$ODD/team/foreign:1" "$PLAIN/kept/foreign:1"
    push "$PLAIN/kept/foreign:1"
    equal "$(digest_of "$WORK/push")" "$(cat "$WORK/foreign")"
    docker tag "$ODD/team/foreign:1" "$ODD/kept/foreign:1"
    push "$ODD/kept/foreign:1" && says 'Layer already exists' && equal "$(digest_of "$WORK/push")" "$(cat "$WORK/foreign")"
}
with_tls_and_password() {
    docker tag busybox "$SECURE/team/busybox:1"
    fails 'no basic auth credentials' docker push "$SECURE/team/busybox:1"
    printf %s wrong | fails '401 Unauthorized|incorrect|unauthorized' docker login -u alice --password-stdin "$SECURE"
    printf %s "$PASSWORD" | docker login -u alice --password-stdin "$SECURE" 2>/dev/null | grep -q 'Login Succeeded'
    push "$SECURE/team/busybox:1"
    says ': Pushed$'
    equal "$(skopeo inspect --cert-dir "$ENGINE/certs.d/$SECURE" --creds "alice:$PASSWORD" --format '{{.Digest}}' "docker://$SECURE/team/busybox:1")" \
        "$(digest_of "$WORK/push")"
    docker logout "$SECURE" >/dev/null
    fails 'no basic auth credentials' docker push "$SECURE/team/busybox:1"
}
with_the_sdk() {
    python3 - "unix://$SOCKET" "$PLAIN/team/busybox" "$(cat "$WORK/first")" <<'END'
import sys, docker
url, repository, digest = sys.argv[1:]
client = docker.DockerClient(base_url=url)
client.images.get(repository + ":1").tag(repository, "sdk")
lines = list(client.images.push(repository, tag="sdk", stream=True, decode=True))
assert [line["aux"]["Digest"] for line in lines if "aux" in line] == [digest], lines
data = client.images.get_registry_data(repository + ":sdk")
assert data.id == digest and data.attrs["Platforms"][0]["os"] == "linux", data.attrs
assert len(client.images.pull(repository, all_tags=True)) >= 1
END
}
unknown_tag() {
    fails "tag does not exist: $PLAIN/all/busybox:none" docker push "$PLAIN/all/busybox:none"
    fails "An image does not exist locally with the tag: $PLAIN/no/image" docker push "$PLAIN/no/image"
}
without_a_registry() {
    docker tag busybox 127.0.0.1:1/team/busybox:1
    fails 'refused' docker push 127.0.0.1:1/team/busybox:1
}

token_server() {
    fails 'unauthorized|denied|incorrect' docker push "$ODD/team/busybox:1" || return 1
    printf %s "$PASSWORD" | docker login -u alice --password-stdin "$ODD" >/dev/null 2>&1
    rm -rf "$WORK/pushed/blobs"
    push "$ODD/team/busybox:1" && says ': Pushed$' # which takes a token for pushing
}
token_without_the_right() {
    rm -rf "$WORK/pushed/blobs"
    odd_faults '["token-read-only"]'
    fails 'unauthorized: authentication required|denied' docker push "$ODD/team/busybox:1"
    odd_faults '[]'
}

# ---- tenants and rules -----------------------------------------------------------------------------------

ALICE=61001
as_alice() {
    setpriv --reuid $ALICE --regid $ALICE --clear-groups env HOME="$WORK" DOCKER_CONFIG="$WORK/alice" "$@"
}
prepare_alice() {
    chmod 0755 "$ENGINE" "$WORK"
    chmod 0666 "$SOCKET"
    mkdir -p "$WORK/alice" && chown $ALICE "$WORK/alice"
}
# neither another's images, nor where he has met a blob
others_are_others() {
    exits 1 as_alice docker push "$PLAIN/team/busybox:1"
    matches "$(cat "$WORK/err")" "An image does not exist locally with the tag: $PLAIN/team/busybox"
    as_alice docker load -q <"$WORK/busybox.tar" >/dev/null
    as_alice docker tag busybox "$PLAIN/alice/busybox:1"
    as_alice docker push "$PLAIN/alice/busybox:1" >"$WORK/push"
    says ': Pushed$'
    as_alice docker tag busybox "$PLAIN/alice/second:1"
    as_alice docker push "$PLAIN/alice/second:1" >"$WORK/push"
    says ': Mounted from alice/busybox$'
}
rules_hold() {
    printf '{"version": 1, "tenants": [%s], "registries": {"allow": ["docker.io/*"]}}' $ALICE >"$ENGINE/policy.d/50-alice.json"
    kill -HUP "$(cat "$ENGINE/engine.pid")"
    eventually refused_by_rule
    grep -h AdmitTransfer "$ENGINE"/state/policyd/* | grep -q refuse
    rm "$ENGINE/policy.d/50-alice.json"
    kill -HUP "$(cat "$ENGINE/engine.pid")"
}
refused_by_rule() {
    ! as_alice docker push "$PLAIN/alice/busybox:1" >"$WORK/push" 2>"$WORK/err" && grep -q 'is not allowed.*rule "registries"' "$WORK/err"
}

check "push of a loaded image" pushes
check "push again: nothing is sent" pushes_again
check "bulkhead push" pushes_with_our_client
check "the same layer always becomes the same blob" compresses_always_the_same
check "a blob that another repository has is mounted" mounts
check "push -a: every tag" all_tags
check "the stream as the API has it, every tag" stream_of_the_api
check "a push is an event" as_an_event
check "skopeo reads it" skopeo_reads_it
check "podman pulls it" podman_pulls_it
check "what was pulled is pushed by its own manifest" keeps_what_was_pulled
check "TLS, a password, docker login and logout" with_tls_and_password
check "python3-docker pushes, asks and pulls" with_the_sdk
check "a tag that is not there" unknown_tag
check "nobody listens" without_a_registry
prepare_alice
check "another tenant's images and mounts are another's" others_are_others
check "a rule about registries is one about pushing, too" rules_hold

# the same folder behind a token server, on the port that the engine was told about
kill "$odd_pid"
while kill -0 "$odd_pid" 2>/dev/null; do sleep 0.05; done
odd_registry "$WORK/pushed" --write --auth bearer --user alice --password "$PASSWORD" --port "${ODD##*:}" --log "$WORK/requests"
check "a token server: push scope" token_server
check "a token that does not allow pushing" token_without_the_right
