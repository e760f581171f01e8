#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Bob, and root's tenant as well, try to see, name, guess, use, change or remove what is Alice's. What is refused must be refused as if
# it were not there at all.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"
source "$(dirname "$0")/lib/tenants.sh"

tls_registry
(cd "$WORK" && htpasswd -Bb htpasswd bob "bob's own") >/dev/null 2>&1
EVIL=$WORK/evil
mkdir -p "$EVIL"
odd_registry "$EVIL"
attack_start --insecure_registry "$ODD" --private_registry "$ODD" --private_registry "$SECURE"
tenants_prepare
mkdir -p "$ENGINE/certs.d/$SECURE"
cp "$WORK/ca.crt" "$ENGINE/certs.d/$SECURE/ca.crt"
chmod -R go+rX "$ENGINE/certs.d"
survived() { tenants_survived; }
clean_up_images() { tenants_clean_up; }

# ---- what Alice has ----------------------------------------------------------------------------------

head -c 100000 /dev/urandom >"$WORK/secret-file"
tar -C "$WORK" -cf "$WORK/secret-layer.tar" secret-file
python3 "$TESTS/lib/images.py" archive "$WORK/secret.tar" secret:1 "$WORK/secret-layer.tar"
image_folder "$WORK/secret.tar" team/secret 1 "$WORK/private" >/dev/null
push_folder "$WORK/private" team/secret 1 "https://$SECURE" --user "alice:$PASSWORD" --ca "$WORK/ca.crt" >/dev/null
credentials() { # UID NAME:PASSWORD
    printf '{"auths": {"%s": {"auth": "%s"}}}' "$SECURE" "$(printf '%s' "$2" | base64 -w0)" >"$WORK/home-$1/config.json"
    chown "$1" "$WORK/home-$1/config.json"
}
credentials $ALICE "alice:$PASSWORD"
SECRET=$SECURE/team/secret:1
as $ALICE bulkhead pull "$SECRET" >/dev/null || { echo "not ok - Alice can pull her image"; exit 1; }
IMAGE_ID=$(as $ALICE bulkhead inspect -f '{{.Id}}' "$SECRET")
as $ALICE bulkhead volume create --label whose=alice treasure >/dev/null
as $ALICE bulkhead run -d --name mine --label kept --label whose=alice --network none -v treasure:/treasure busybox sh -c 'echo gold >/treasure/gold; echo said; sleep 100000' >/dev/null
ID=$(as $ALICE bulkhead inspect -f '{{.Id}}' mine)
EXEC_ID=$(request $ALICE POST "/containers/mine/exec" -H 'Content-Type: application/json' -d '{"Cmd": ["true"]}' | sed -n 's/.*"Id":"\([0-9a-f]*\)".*/\1/p')
is_whole() { # Alice's, after each attack
    equal "$(as $ALICE bulkhead inspect -f '{{.State.Status}} {{.Name}} {{.RestartCount}}' mine)" "running /mine 0"
    equal "$(as $ALICE bulkhead exec mine cat /treasure/gold)" gold
    equal "$(as $ALICE bulkhead inspect -f '{{.Id}}' "$SECRET")" "$IMAGE_ID"
    equal "$(as $ALICE bulkhead ps -aq | wc -l)" 1
}
survived() { tenants_survived && is_whole; }

# ---- seeing --------------------------------------------------------------------------------------------

TRACES="mine|treasure|secret|whose|gold|said|${ID:0:12}|${IMAGE_ID:7:12}|$EXEC_ID"
class "tenants: seeing"
for list in "ps -a" "ps -a --no-trunc" "ps -a --filter label=whose=alice" "ps -a --filter name=mine" "ps -a --filter id=$ID" "ps -a --filter volume=treasure" "ps -a --filter status=running" "ps -as" \
    "images -a" "images --digests" "images --filter reference=*/team/*" "images --filter dangling=false" "volume ls" "volume ls --filter label=whose=alice" "volume ls --filter name=treasure" \
    "system df -v" "stats --no-stream" "events --since 1 --until 0s"; do
    check "$list" no_trace $list
done
counts_are_own() { # UID : of info and df
    as "$1" curl -s --unix-socket "$SOCKET" http://d/v1.47/info | python3 -c 'import json, sys; i = json.load(sys.stdin); print(i["Containers"], i["ContainersRunning"], i["Images"])'
}
check "counts in info are Bob's own" equal "$(counts_are_own $BOB)" "0 0 1"
check "counts in info are root's own" equal "$(counts_are_own 0)" "0 0 1"
events_are_own() {
    as $BOB timeout 10 "$bulkhead" events >"$WORK/events" &
    local follower=$!
    eventually follows_events
    as $ALICE bulkhead exec mine true
    as $ALICE bulkhead volume create passing
    as $ALICE bulkhead volume rm passing
    as $ALICE bulkhead run --rm --network none busybox true
    as $BOB bulkhead volume create bobs
    as $BOB bulkhead volume rm bobs
    eventually grep -q 'volume destroy bobs' "$WORK/events"
    kill $follower
    ! grep -vE 'volume (create|destroy) (bobs|first)' "$WORK/events"
}
follows_events() { # what he does himself is told, and so he is listening
    as $BOB bulkhead volume create first
    as $BOB bulkhead volume rm first
    grep -q first "$WORK/events"
}
attack "events while Alice works" events_are_own

# ---- naming and guessing ---------------------------------------------------------------------------------

class "tenants: containers by name and id"
while read -r method path body <&6; do
    check "$method $path by name" as_if_absent "$method" "$path" mine ours "$body"
    check "$method $path by id" as_if_absent "$method" "$path" "$ID" "$NOBODYS" "$body"
    check "$method $path by a short id" as_if_absent "$method" "$path" "${ID:0:12}" "${NOBODYS:0:12}" "$body"
done 6<<'END'
GET /containers/{}/json
GET /containers/{}/top
GET /containers/{}/logs?stdout=1
GET /containers/{}/stats?stream=false
GET /containers/{}/changes
GET /containers/{}/export
GET /containers/{}/archive?path=/treasure
HEAD /containers/{}/archive?path=/treasure
PUT /containers/{}/archive?path=/
POST /containers/{}/start
POST /containers/{}/stop
POST /containers/{}/restart
POST /containers/{}/kill
POST /containers/{}/pause
POST /containers/{}/unpause
POST /containers/{}/wait
POST /containers/{}/resize?h=1&w=1
POST /containers/{}/rename?name=taken
POST /containers/{}/attach?stream=1&stdout=1
POST /containers/{}/update {"Memory": 8388608}
POST /containers/{}/exec {"Cmd": ["true"]}
POST /commit?container={}&repo=taken
DELETE /containers/{}?force=1
END
attack "and Alice's container is as it was" true
class "tenants: other objects by name and id"
while read -r name method path absent body <&6; do
    check "$method $path" as_if_absent "$method" "$path" "$name" "$absent" "$body"
done 6<<END
$EXEC_ID GET /exec/{}/json $NOBODYS
$EXEC_ID POST /exec/{}/start $NOBODYS {"Detach":true}
$EXEC_ID POST /exec/{}/resize?h=1&w=1 $NOBODYS
treasure GET /volumes/{} trinkets
treasure DELETE /volumes/{}?force=false trinkets
${IMAGE_ID#sha256:} GET /images/{}/json $NOBODYS
${IMAGE_ID#sha256:} GET /images/{}/history $NOBODYS
${IMAGE_ID#sha256:} GET /images/{}/get $NOBODYS
${IMAGE_ID#sha256:} DELETE /images/{}?force=1 $NOBODYS
${IMAGE_ID#sha256:} POST /images/{}/tag?repo=taken $NOBODYS
${IMAGE_ID#sha256:} POST /containers/create $NOBODYS {"Image":"<>"}
$SECRET GET /images/{}/json $SECURE/team/public:1
$SECRET GET /images/{}/get $SECURE/team/public:1
$SECRET DELETE /images/{} $SECURE/team/public:1
$SECRET POST /images/{}/tag?repo=taken $SECURE/team/public:1
$SECRET POST /images/{}/push $SECURE/team/public:1
END
attack "and what Alice has is as it was" true
guesses_prefixes() { # every first digit, and first two of hers, lead nowhere
    local digit
    for digit in 0 1 2 3 4 5 6 7 8 9 a b c d e f "${ID:0:2}" "${ID:0:3}" "${ID:0:8}" "${IMAGE_ID:7:2}" "${IMAGE_ID:7:8}"; do
        neither no_object "$digit"
    done
}
no_object() { # as UID PREFIX
    ! "$1" "$2" bulkhead inspect --type container "$3" || return 1
    [ "$3" != "${IMAGE_ID:7:8}" ] || ! "$1" "$2" bulkhead inspect --type image "$3" || return 1
}
attack "prefixes of ids lead nowhere" guesses_prefixes
shares_nothing() { # OPTION...
    local uid
    for uid in $BOB 0; do
        refused '[Nn]o such|not found|not allowed|denied' as_program $uid run --rm "$@" busybox true
    done
}
# refused() runs its command under timeout, so this is a program
printf '#!/bin/sh\nuid=$1\nshift\nexec setpriv --reuid $uid --regid $uid --clear-groups env DOCKER_CONFIG="%s/home-$uid" HOME="%s/home-$uid" "%s" "$@"\n' "$WORK" "$WORK" "$WORK/client/bulkhead" >"$WORK/client/as_program"
chmod 0755 "$WORK/client/as_program"
mkdir -p "$WORK/home-0"
PATH=$WORK/client:$PATH
class "tenants: sharing"
for name in mine "$ID" "${ID:0:12}"; do
    attack "--volumes-from ${name:0:12}" shares_nothing --network none --volumes-from "$name"
    attack "--network container:${name:0:12}" shares_nothing --network "container:$name"
    attack "--pid container:${name:0:12}" shares_nothing --network none --pid "container:$name"
    attack "--ipc container:${name:0:12}" shares_nothing --network none --ipc "container:$name"
done
own_of_the_same_name() {
    as $BOB bulkhead volume create treasure
    equal "$(as $BOB bulkhead run --name mine --network none -v treasure:/treasure busybox ls /treasure)" ""
    as $BOB bulkhead tag busybox "$SECRET"
    as $BOB bulkhead rm mine && as $BOB bulkhead volume rm treasure && as $BOB bulkhead rmi "$SECRET"
}
attack "a container, a volume and an image of the same names are Bob's own" own_of_the_same_name
prunes_own() {
    local uid
    for uid in $BOB 0; do
        as $uid bulkhead container prune -f
        as $uid bulkhead volume prune -af
        as $uid bulkhead system prune -f --volumes
    done
    as $BOB bulkhead image prune -af && as $BOB bulkhead load -i "$WORK/busybox.tar"
}
attack "prune removes Bob's own" prunes_own
mounts_of_engine() { # the volume's folder on the disk
    local folder
    folder=$(find "$ENGINE/state" -name gold -printf '%h\n' | head -1)
    [ -n "$folder" ]
    refused 'with the tenant.s rights: Permission denied' as_program $BOB run --rm --network none -v "$folder:/x" busybox cat /x/gold
    as $BOB bulkhead volume create -d local -o type=none -o o=bind -o device="$folder" stolen # it may be named, and is of no use
    refused 'with the tenant.s rights: Permission denied' as_program $BOB run --rm --network none -v stolen:/x busybox cat /x/gold
    as $BOB bulkhead volume rm -f stolen
}
attack "the folder of Alice's volume" mounts_of_engine

# ---- content that is here already ---------------------------------------------------------------------------

blobs_fetched() { grep -c 'GET /v2/team/secret/blobs' "$WORK/registry-secure/log" || true; }
has_not() { equal "$(as $BOB bulkhead images -q --no-trunc | grep -c "$IMAGE_ID" || true)" 0 "Bob has the image"; }
cached_is_no_permission() { # CREDENTIALS
    rm -f "$WORK/home-$BOB/config.json"
    [ -z "$1" ] || credentials $BOB "$1"
    refused 'unauthorized|authentication|401|denied|no basic auth credentials' as_program $BOB pull "$2"
    has_not
}
own_credentials_are() {
    local before
    before=$(blobs_fetched)
    [ "$before" -gt 0 ] # Alice's
    credentials $BOB "bob:bob's own"
    as $BOB bulkhead pull "$SECRET"
    equal "$(blobs_fetched)" "$before" "blobs that were fetched"
    equal "$(as $BOB bulkhead inspect -f '{{.Id}}' "$SECRET")" "$IMAGE_ID"
    as $BOB bulkhead rmi "$SECRET"
    has_not
}
# Bob's own registry says that it has what Alice's image consists of, by digest and size, and has other bytes.
lying_registry() {
    cp -r "$WORK/private/." "$EVIL/"
    for blob in "$EVIL"/blobs/*; do head -c "$(stat -c %s "$blob")" /dev/urandom >"$blob"; done
    cp "$WORK/private/blobs/${IMAGE_ID#sha256:}" "$EVIL/blobs/" # its config he has seen somewhere
    refused 'digest|match|verif|not what' as_program $BOB pull "$ODD/team/secret:1"
    has_not
}
registry_that_lies_to_alice() { # and a registry that Alice has used does not become trustworthy by that
    as $ALICE bulkhead pull "$ODD/team/secret:1"
    refused 'digest|match|verif|not what' as_program $BOB pull "$ODD/team/secret:1"
    as $ALICE bulkhead rmi "$ODD/team/secret:1"
    has_not
}
archive_that_names() { # LAYER-CONTENT : an OCI archive with Alice's manifest, and that instead of her layer
    python3 - "$WORK/private" "$WORK/named.tar" "$1" <<'END'
import glob, hashlib, io, json, sys, tarfile
root, out, content = sys.argv[1:]
manifest = open(glob.glob(root + "/manifests/team/secret/1")[0], "rb").read()
document = json.loads(manifest)
members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
           "index.json": json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": document["mediaType"], "size": len(manifest),
               "digest": "sha256:" + hashlib.sha256(manifest).hexdigest(), "annotations": {"org.opencontainers.image.ref.name": "taken:1"}}]}).encode(),
           "blobs/sha256/" + hashlib.sha256(manifest).hexdigest(): manifest}
config = document["config"]["digest"][7:]
members["blobs/sha256/" + config] = open(f"{root}/blobs/{config}", "rb").read()
for layer in document["layers"]:
    if content == "other":
        members["blobs/sha256/" + layer["digest"][7:]] = b"x" * layer["size"]
    elif content == "empty":
        members["blobs/sha256/" + layer["digest"][7:]] = b""
with tarfile.open(out, "w") as archive:
    for name, data in members.items():
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
END
    chmod 0644 "$WORK/named.tar"
    refused '.' as_program $BOB load -i "$WORK/named.tar"
    has_not
}
load_of_the_same_name() { # changes nothing of Alice's, and the name is each one's own
    as $BOB bulkhead tag busybox "$SECRET"
    as $BOB bulkhead save -o "$WORK/home-$BOB/same.tar" "$SECRET"
    as $BOB bulkhead load -i "$WORK/home-$BOB/same.tar"
    as $BOB bulkhead rmi "$SECRET"
}
class "tenants: content that is here already"
attack "a cached private image, without credentials" cached_is_no_permission "" "$SECRET"
attack "a cached private image, with a wrong password" cached_is_no_permission "alice:guess" "$SECRET"
attack "a cached private image, by its digest" cached_is_no_permission "" "$SECURE/team/secret@$(as $ALICE bulkhead inspect -f '{{index .RepoDigests 0}}' "$SECRET" | sed 's/.*@//')"
attack "with credentials of one's own it is had, and nothing fetched twice" own_credentials_are
attack "a registry of Bob's that says it has the same" lying_registry
attack "a registry of Bob's that Alice has pulled from" registry_that_lies_to_alice
attack "an archive that names Alice's layer" archive_that_names none
attack "an archive with other bytes in its place" archive_that_names other
attack "an archive with an empty file in its place" archive_that_names empty
attack "load of an image of the same name" load_of_the_same_name
