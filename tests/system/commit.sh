#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Containers become images: commit, with docker's own client, curl and the Python SDK, of containers that run, are paused, have ended, and never ran;
# what the layer holds, and what the image says of itself. Sizes of containers.
# slow
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

image_field() { docker image inspect -f "$2" "$1"; }
layers_of() { docker image inspect -f '{{join .RootFS.Layers " "}}' "$1"; }

prepare() {
    docker run -d --name runs --network none -e OWN=1 --label of=container "$IMAGE" sh -c '
        mkdir -p /data/sub; echo one >/data/one; echo two >/data/sub/two; ln /data/one /data/hard; ln -s one /data/link
        chown 7:8 /data/one; chmod 4755 /data/sub/two; rm /bin/yes; rm -r /home; echo ready; sleep 1000'
    eventually bash -c 'docker logs runs | grep -q ready'
    docker create --name fresh --network none "$IMAGE" echo fresh
    docker run --name ended --network none "$IMAGE" sh -c 'rm -r /etc; mkdir /etc; echo new >/etc/new; mkdir /kept; echo kept >/kept/file'
}
commits_each() {
    matches "$(docker commit runs made:runs)" '^sha256:[0-9a-f]{64}$'
    equal "$(docker run --rm --network none made:runs sh -c 'cat /data/one /data/sub/two /data/link; stat -c "%u:%g %h" /data/one; stat -c %a /data/sub/two; ls /bin/yes /home 2>/dev/null || echo gone')" \
        $'one\ntwo\none\n7:8 2\n4755\ngone'
    docker commit ended made:ended
    equal "$(docker run --rm --network none made:ended sh -c 'cat /kept/file; cd /etc; echo *')" $'kept\nhostname hosts new resolv.conf' "a folder that was made anew hides the image's"
    docker commit fresh made:fresh
    equal "$(docker run --rm --network none made:fresh)" fresh
    equal "$(layers_of made:fresh)" "$(layers_of busybox)" "a container that changed nothing has no layer"
    equal "$(image_field made:fresh '{{.Parent}}')" "$(image_field busybox '{{.Id}}')"
    is_state runs running
}
the_same_layer_twice() {
    docker commit runs made:again
    equal "$(layers_of made:again)" "$(layers_of made:runs)"
    equal "$(layers_of made:again | wc -w)" $(($(layers_of busybox | wc -w) + 1))
}
paused_and_not() {
    docker pause runs
    docker commit runs made:paused
    is_state runs paused
    docker unpause runs
    docker commit --pause=false runs made:not-paused
    is_state runs running
    equal "$(layers_of made:paused) $(layers_of made:not-paused)" "$(layers_of made:runs) $(layers_of made:runs)"
}
says_who_and_why() {
    docker commit -a 'Alice <alice@example.org>' -m 'a comment' runs made:by
    equal "$(image_field made:by '{{.Author}} {{.Comment}}')" 'Alice <alice@example.org> a comment'
    equal "$(docker history --no-trunc --format '{{.CreatedBy}}' made:by | head -n 1 | cut -c1-6)" 'sh -c '
    equal "$(docker history --format '{{.Comment}}' made:by | head -n 1)" 'a comment'
    equal "$(image_field made:by '{{.Architecture}} {{.Os}}')" "$(image_field busybox '{{.Architecture}} {{.Os}}')"
}
config_is_the_containers() {
    equal "$(image_field made:runs '{{json .Config.Labels}}')" '{"of":"container"}'
    image_field made:runs '{{json .Config.Env}}' | grep -q '"OWN=1"'
    equal "$(image_field made:fresh '{{json .Config.Cmd}}')" '["echo","fresh"]'
}
changes_are_applied() {
    docker commit -c 'CMD ["echo", "changed"]' -c 'ENV A=1 B="two words"' -c 'EXPOSE 80 443/udp' -c 'LABEL x=y of=change' -c 'USER 7:8' -c 'WORKDIR /data' \
        -c 'VOLUME /v' -c 'STOPSIGNAL SIGUSR1' -c 'ONBUILD RUN true' -c 'HEALTHCHECK --interval=5s CMD true' runs made:changed
    equal "$(docker run --rm --network none made:changed)" changed
    equal "$(docker run --rm --network none made:changed sh -c 'id -u; pwd; echo $A $B $OWN')" $'7\n/data\n1 two words 1'
    equal "$(image_field made:changed '{{json .Config.ExposedPorts}}')" '{"443/udp":{},"80/tcp":{}}'
    equal "$(image_field made:changed '{{json .Config.Labels}}')" '{"of":"change","x":"y"}'
    equal "$(image_field made:changed '{{.Config.StopSignal}} {{json .Config.OnBuild}} {{json .Config.Volumes}}')" 'SIGUSR1 ["RUN true"] {"/v":{}}'
    image_field made:changed '{{json .Config.Healthcheck}}' | grep -q '"CMD-SHELL","true"'
    docker commit -c 'ENTRYPOINT ["echo", "entry"]' fresh made:entry
    equal "$(docker run --rm --network none made:entry)" entry "the inherited command goes"
    exits 1 docker commit -c 'RUN rm -rf /' runs made:no
    matches "$(cat "$WORK/err")" "RUN"
    exits 1 docker commit -c 'FROM scratch' runs made:no
}
commit() { curl -s --unix-socket "$SOCKET" -X POST -o "$WORK/body" -w '%{http_code}' "http://d/v1.47/commit?$1" "${@:2}"; }
wrong_ones_are_refused() {
    equal "$(commit container=nobody)" 404
    equal "$(cat "$WORK/body")" '{"message":"No such container: nobody"}'
    equal "$(commit '')" 400
    equal "$(commit 'container=runs&repo=UPPER/Case')" 400
    equal "$(commit 'container=runs&repo=a&tag=b%20c')" 400
    equal "$(commit "container=runs&repo=a@sha256:$(printf %064d 0)")" 400
    equal "$(commit container=runs -H 'Content-Type: application/json' -d '{"Cmd": 7}')" 400
    equal "$(commit container=runs -H 'Content-Type: application/json' -d '[')" 400
    docker image ls -q | sort >"$WORK/before"
    equal "$(commit 'container=runs&changes=NONSENSE%20x')" 400
    equal "$(docker image ls -q | sort)" "$(cat "$WORK/before")" "nothing half-made"
}
body_is_completed() {
    equal "$(commit 'container=runs&repo=made&tag=body' -H 'Content-Type: application/json' -d '{"Cmd": ["echo", "body"], "Env": ["OWN=2"], "Labels": {"l": "b"}}')" 201
    equal "$(docker run --rm --network none made:body)" body
    equal "$(image_field made:body '{{json .Config.Labels}}')" '{"l":"b","of":"container"}'
    equal "$(docker run --rm --network none made:body sh -c 'echo $OWN')" 2
}
images_of_images() {
    docker run --name second --network none made:runs sh -c 'rm /data/one; echo changed >/data/sub/two; echo more >/data/more'
    docker commit second made:second
    equal "$(docker run --rm --network none made:second sh -c 'cd /data; echo *; cat sub/two hard')" $'hard link more sub\nchanged\none'
    equal "$(docker save made:second | tar xO --wildcards '*manifest.json' 2>/dev/null | python3 -c 'import json, sys; print(len(json.load(sys.stdin)[0]["Layers"]))')" 3
    docker save -o "$WORK/saved.tar" made:second
    docker rm second
    docker rmi made:second
    docker load -i "$WORK/saved.tar"
    equal "$(docker run --rm --network none made:second cat /data/more)" more "after save and load"
}
names_that_mean_deletions() {
    docker run --name wh --network none "$IMAGE" sh -c 'touch /tmp/.wh.passwd'
    exits 1 docker commit wh made:wh
    matches "$(cat "$WORK/err")" 'mean deletions'
    docker rm wh
}
sdk_commits() {
    python3 - "$SOCKET" <<'END'
import sys, docker
client = docker.DockerClient(base_url="unix://" + sys.argv[1], version="1.41")
container = client.containers.get("runs")
image = container.commit(repository="made", tag="sdk", message="m", author="a", changes=["ENV S=dk"], conf={"Cmd": ["sh", "-c", "echo $S"]})
assert "made:sdk" in image.tags, image.tags
assert client.containers.run("made:sdk", network_mode="none", remove=True) == b"dk\n"
assert container.commit().tags == []
END
}
sizes_are_measured() {
    docker run --name sized --network none "$IMAGE" sh -c 'dd if=/dev/zero of=/file bs=1000 count=500 2>/dev/null; ln /file /again'
    matches "$(docker ps -as --filter name=sized --format '{{.Size}}')" '^500kB \(virtual [0-9.]+MB\)$'
    equal "$(docker inspect -s -f '{{.SizeRw}}' sized)" 500000
    equal "$(docker inspect -s -f '{{.SizeRw}}' fresh)" 0
    [ "$(docker inspect -s -f '{{.SizeRootFs}}' sized)" = $(($(docker inspect -s -f '{{.SizeRootFs}}' fresh) + 500000)) ]
    docker ps -as --format '{{.Names}} {{.Size}}' | grep -q '^runs '
    docker rm sized
}
of_another_tenant() {
    chmod 0755 "$ENGINE"
    chmod 0666 "$SOCKET"
    equal "$(setpriv --reuid 61001 --regid 61001 --clear-groups curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" -X POST "http://d/v1.47/commit?container=runs")" 404
}
killed_helpers() {
    local role
    for role in extractor store executor; do
        kill -KILL "$(helper_pid $role)"
        eventually docker commit runs made:again
        equal "$(layers_of made:again)" "$(layers_of made:runs)" "after the $role died"
    done
    is_state runs running
}
tidy() {
    docker rm -f $(docker ps -aq)
    nothing_left
}

check "containers to commit" prepare
check "commit of a running, an ended and a fresh container" commits_each
check "the same content is the same layer" the_same_layer_twice
check "a paused container stays paused, and one that runs runs on" paused_and_not
check "author, comment and history" says_who_and_why
check "the image has the container's configuration" config_is_the_containers
check "changes are Dockerfile instructions" changes_are_applied
check "wrong requests are refused" wrong_ones_are_refused
check "a configuration in the body is completed by the container's" body_is_completed
check "images of images, through save and load" images_of_images
check "names that would mean deletions are refused" names_that_mean_deletions
check "the Python SDK commits" sdk_commits
check "ps -s and inspect -s measure" sizes_are_measured
check "another tenant's container is not there" of_another_tenant
check "helpers that die do no harm" killed_helpers
check "nothing is left" tidy
