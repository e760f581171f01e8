#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Images in Docker's own words: filters, sizes, history, what may be deleted and what not, prune; through docker, python3-docker and plain HTTP
# of several API versions.
# sanitize
source "$(dirname "$0")/../lib/system.sh"
CHECK_SECONDS=60
client=docker
system_start
system_load

id_of() { docker image inspect -f '{{.Id}}' "$1"; }
api() { curl -s --unix-socket "$SOCKET" -X "$1" "http://x$2"; }
api_filters() { curl -s --unix-socket "$SOCKET" -X "$1" -G "http://x$2" --data-urlencode "filters=$3"; }
field() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
names() { docker images --format '{{.Repository}}:{{.Tag}}' "$@" | sort | xargs; }
layer() { # NAME FILE SIZE : a tarball
    head -c "$3" /dev/zero | tr '\0' "${2:0:1}" >"$WORK/$2"
    tar -C "$WORK" --mtime @0 -cf "$WORK/$1.tar" "$2"
}
# An image of two layers of which the base is shared, as an archive
two_layers() { python3 "$TESTS/lib/images.py" archive "$WORK/image-$1.tar" "$1" "$WORK/base.tar" "$WORK/$2.tar"; }

prepare() {
    layer base aaa 1000
    layer top bbb 200
    layer other ccc 30
    two_layers two:1 top
    two_layers two:2 other
    docker load -q -i "$WORK/image-two:1.tar"
    docker load -q -i "$WORK/image-two:2.tar"
    docker import -c 'LABEL color=red' -c 'LABEL shape=round' "$WORK/base.tar" team/one:1
    docker import -c 'LABEL color=blue' "$WORK/top.tar" localhost:5000/team/one:2
}
filters() {
    equal "$(names)" "busybox:latest localhost:5000/team/one:2 team/one:1 two:1 two:2"
    equal "$(names -f label=color)" "localhost:5000/team/one:2 team/one:1"
    equal "$(names -f label=color=red)" team/one:1
    equal "$(names -f label=color -f label=shape=round)" team/one:1
    equal "$(names -f 'reference=two')" "two:1 two:2"
    equal "$(names -f 'reference=two:2')" "two:2"
    equal "$(names -f 'reference=*/one')" team/one:1
    equal "$(names -f 'reference=*/*/one:*')" localhost:5000/team/one:2
    equal "$(names -f 'reference=busybox' -f 'reference=t*:1')" "busybox:latest two:1"
    equal "$(names -f since=team/one:1)" localhost:5000/team/one:2
    equal "$(names -f before=localhost:5000/team/one:2 -f since=two:1)" "team/one:1"
    equal "$(names -f until=24h)" "busybox:latest two:1 two:2"
    equal "$(names -f until=2000-01-01)" "busybox:latest two:1 two:2"
    equal "$(names -f until=1)" "busybox:latest two:1 two:2"
    equal "$(names -f dangling=true)" ""
    equal "$(names -f dangling=false | wc -w)" 5
    exits 1 docker images -f since=nosuch
    matches "$(cat "$WORK/err")" "No such image: nosuch"
    exits 1 docker images -f color=red
    matches "$(cat "$WORK/err")" "invalid filter 'color'"
    exits 1 docker images -f until=soon
}
filtered_names_only() {
    docker tag busybox other/name:1
    equal "$(api_filters GET /images/json '{"reference":["other/*"]}' | field '[i["RepoTags"] for i in d]')" "[['other/name:1']]"
    docker rmi other/name:1
}
sizes() {
    equal "$(api GET '/images/json?shared-size=1' | field '{i["RepoTags"][0]: (i["Size"], i["SharedSize"]) for i in d if i["RepoTags"][0][:3] != "bus"}["two:1"]')" "(1200, 1000)"
    equal "$(api GET '/images/json?shared-size=1' | field '{i["RepoTags"][0]: i["SharedSize"] for i in d}["localhost:5000/team/one:2"]')" 0
    equal "$(api GET /images/json | field '{i["SharedSize"] for i in d}, {i["Containers"] for i in d}')" "({-1}, {-1})"
    equal "$(api GET /v1.43/images/json | field '"VirtualSize" in d[0]') $(api GET /v1.44/images/json | field '"VirtualSize" in d[0]')" "True False"
}
forms_of_names() {
    docker import "$WORK/other.tar" soon:nameless
    docker import "$WORK/base.tar" soon:nameless
    equal "$(api_filters GET "$1/images/json" '{"dangling":["true"]}' | field '[(i["RepoTags"], i["RepoDigests"]) for i in d]')" "$2"
    docker rmi soon:nameless "$(docker images -q -f dangling=true)"
}
inspects() {
    for version in 24 41 44 45 47; do
        api GET "/v1.$version/images/team/one:1/json" | field '" ".join(sorted(d))'
    done >"$WORK/fields"
    local common="Architecture Author Comment Config" rest="Created DockerVersion GraphDriver Id Metadata Os Parent RepoDigests RepoTags RootFS Size"
    # docker-compose 1.29 needs ContainerConfig in whatever version it speaks
    local old="$common Container ContainerConfig $rest" new="$common ContainerConfig $rest"
    equal "$(cat "$WORK/fields")" "$old VirtualSize
$old VirtualSize
$old
$new
$new"
    equal "$(api GET /v1.41/images/team/one:1/json | field '" ".join(sorted(d["Config"])) == " ".join(sorted(d["ContainerConfig"]))')" True
    equal "$(docker inspect -f '{{.Metadata.LastTagTime}}' two:1)" "0001-01-01 00:00:00 +0000 UTC"
    matches "$(docker inspect -f '{{.Metadata.LastTagTime}}' team/one:1)" "^20"
}
history() {
    equal "$(api GET /images/team/one:1/history | field '[(h["Id"][:7], h["Size"], h["Tags"], h["Comment"], h["CreatedBy"]) for h in d]')" \
        "[('sha256:', 1000, ['team/one:1'], 'Imported from -', '')]"
}
tags() {
    exits 1 docker tag busybox "busybox@$(id_of busybox)"
    matches "$(cat "$WORK/err")" "refusing to create a tag with a digest reference"
    exits 1 docker tag nosuch x
    matches "$(cat "$WORK/err")" "No such image: nosuch"
    equal "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" -X POST 'http://x/images/busybox/tag?repo=A')" 400
    equal "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" -X POST 'http://x/images/busybox/tag?repo=a&tag=b')" 201
    docker rmi a:b
}

# ---- deleting ----------------------------------------------------------------------------------------

says() { # STATUS PATTERN COMMAND...
    local status=$1 pattern=$2
    shift 2
    exits "$status" "$@"
    matches "$(cat "$WORK/err")" "$pattern"
}
in_use_by_a_stopped_one() {
    local id short user
    id=$(id_of busybox)
    short=${id:7:12}
    user=$(docker create --network none busybox true)
    says 1 "conflict: unable to remove repository reference \"busybox\" \(must force\) - container ${user:0:12} is using its referenced image $short" docker rmi busybox
    says 1 "conflict: unable to delete $short \(must be forced\) - image is being used by stopped container ${user:0:12}" docker rmi "$short"
    docker tag busybox busy:2
    equal "$(docker rmi busy:2)" "Untagged: busy:2"
    equal "$(docker rmi -f "$short" | grep -v layer)" "Untagged: busybox:latest
Deleted: $id"
    docker start -a "$user"
    docker rm "$user"
    docker load -q -i "$WORK/busybox.tar"
}
in_use_by_a_running_one() {
    local id short user
    id=$(id_of busybox)
    short=${id:7:12}
    user=$(docker run -d --network none busybox sleep 1000)
    says 1 "must force\) - container ${user:0:12} is using" docker rmi busybox
    says 1 "conflict: unable to delete $short \(cannot be forced\) - image is being used by running container ${user:0:12}" docker rmi -f "$short"
    equal "$(docker rmi -f busybox)" "Untagged: busybox:latest"
    equal "$(docker images -q -f dangling=true | grep -c "$short")" 1
    docker rm -f "$user"
    docker tag "$short" busybox
}
several_names() {
    local id
    id=$(id_of two:1)
    docker tag two:1 elsewhere/two:1
    says 1 "conflict: unable to delete ${id:7:12} \(must be forced\) - image is referenced in multiple repositories" docker rmi "$id"
    equal "$(docker rmi elsewhere/two:1)" "Untagged: elsewhere/two:1"
    docker tag two:1 two:again
    says 1 "multiple repositories" docker rmi "$id"
    equal "$(docker rmi -f "$id" | grep -c Untagged)" 2
    docker load -q -i "$WORK/image-two:1.tar"
}
layers_that_go() {
    equal "$(docker rmi two:1 | grep -c Deleted)" 2 # the image and its top layer; two:2 has the other
    equal "$(docker rmi two:2 | grep -c Deleted)" 2 # team/one has the base
    docker load -q -i "$WORK/image-two:1.tar"
    docker load -q -i "$WORK/image-two:2.tar"
}
unknown_ones() {
    says 1 "No such image: nosuch:latest" docker rmi nosuch
    equal "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" -X DELETE http://x/images/nosuch)" 404
    equal "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" -X DELETE http://x/images/A:b)" 400
    docker rmi -f nosuch || true
}

# ---- prune -------------------------------------------------------------------------------------------

prunes_dangling() {
    docker images -q -f dangling=true | xargs -r docker rmi -f
    docker import "$WORK/other.tar" soon:nameless
    docker import -c 'LABEL keep=yes' "$WORK/top.tar" soon:nameless
    docker import "$WORK/base.tar" soon:nameless
    equal "$(api_filters POST /images/prune '{"until":["24h"]}')" '{"ImagesDeleted":null,"SpaceReclaimed":0}'
    equal "$(api_filters POST /images/prune '{"label":["nosuch"]}')" '{"ImagesDeleted":null,"SpaceReclaimed":0}'
    equal "$(api_filters POST /images/prune '{"label!":["keep"]}' | field 'len(d["ImagesDeleted"]), d["SpaceReclaimed"]')" "(2, 30)"
    equal "$(docker images -q -f dangling=true | wc -l)" 1
    matches "$(docker image prune -f)" "Total reclaimed space: 0B" # localhost:5000/team/one:2 has the same layer
    equal "$(docker images -q -f dangling=true | wc -l)" 0
    equal "$(names)" "busybox:latest localhost:5000/team/one:2 soon:nameless team/one:1 two:1 two:2"
}
prunes_all() {
    local user
    user=$(docker create --network none busybox true)
    docker image prune -af --filter label=color=blue
    equal "$(names)" "busybox:latest soon:nameless team/one:1 two:1 two:2"
    matches "$(docker image prune -af)" "Total reclaimed space: 1.23kB"
    equal "$(names)" "busybox:latest"
    docker rm "$user"
    matches "$(docker image prune -af)" "Total reclaimed space: [0-9.]+MB"
    equal "$(names)" ""
    eventually no_blobs
}
no_blobs() { [ -z "$(find "$ENGINE/state" -regextype posix-extended -regex '.*/(blobs|layers)/[0-9a-f]{64}' 2>/dev/null)" ]; }
refuses_to_prune() {
    equal "$(api_filters POST /images/prune '{"color":["red"]}')" "{\"message\":\"invalid filter 'color'\"}"
    matches "$(api_filters POST /images/prune '{"dangling":["perhaps"]}')" "invalid filter"
    matches "$(api_filters POST /images/prune '{"until":["soon"]}')" "soon"
}
of_python() {
    docker load -q -i "$WORK/busybox.tar"
    python3 - "$WORK/python.tar" "$WORK/base.tar" <<'END'
import sys, docker
client = docker.from_env()
image = client.images.get("busybox")
assert image.tags == ["busybox:latest"], image.tags
with open(sys.argv[1], "wb") as file:
    for chunk in image.save(named=True):
        file.write(chunk)
client.images.remove("busybox")
loaded = client.images.load(open(sys.argv[1], "rb").read())
assert [i.id for i in loaded] == [image.id], loaded
assert loaded[0].tags == ["busybox:latest"]
assert image.history()[0]["Id"] == image.id
client.api.import_image_from_file(sys.argv[2], repository="py", tag="1", changes=["CMD x"])
imported = client.images.get("py:1")
assert imported.attrs["Config"]["Cmd"] == ["/bin/sh", "-c", "x"], imported.attrs["Config"]
assert imported.tag("py", "2")
try:
    client.images.remove(imported.id)
    raise SystemExit("an image of two names went by its id")
except docker.errors.APIError as error:
    assert error.status_code == 409, error
client.images.remove("py:2")
client.images.remove("py:1")
assert [i.tags for i in client.images.list(filters={"dangling": False})] == [["busybox:latest"]]
assert client.images.prune(filters={"dangling": False})["SpaceReclaimed"] > 1000
for missing in (lambda: client.images.get("py:1"), lambda: client.images.remove("py:1")):
    try:
        missing()
        raise SystemExit("found what is gone")
    except docker.errors.ImageNotFound:
        pass
END
}

check "images to look at" prepare
check "filters" filters
check "a filter by name shows the names that match" filtered_names_only
check "shared sizes, and those of older API versions" sizes
check "nameless images before API 1.43" forms_of_names /v1.42 "[(['<none>:<none>'], ['<none>@<none>'])]"
check "nameless images since API 1.43" forms_of_names /v1.43 "[([], [])]"
check "inspect has the fields of each API version" inspects
check "history" history
check "tag refuses" tags
check "an image that a stopped container uses" in_use_by_a_stopped_one
check "an image that a running container uses" in_use_by_a_running_one
check "an image of several names" several_names
check "rmi names the layers that are nobody's any more" layers_that_go
check "rmi of what is not there" unknown_ones
check "prune takes nameless images, by label and age" prunes_dangling
check "prune -a takes all that no container uses, and the store is empty" prunes_all
check "prune refuses filters it does not know" refuses_to_prune
check "python3-docker" of_python
