# SPDX-License-Identifier: Apache-2.0
#
# Limits of disks by project quotas: a system test that runs inside the machine of project-quotas-on-6.1.sh, with /tmp, and so the engine's
# state, on a file system that enforces them. PROJECT is tests/vm/lib/project.c's program, REFUSAL what this file system says when it is full.
source "$TESTS/lib/system.sh"
umask 022
FIRST=1112014848 # of the engine's ids
system_start --log_level debug
system_load

loops() { losetup -nO BACK-FILE 2>/dev/null | grep -c "^$ENGINE/.*/disk$" || true; }
FILL='dd if=/dev/zero of=$0 bs=1M count=$1 2>/tmp/dd; grep -o "$2" /tmp/dd; stat -c %s "$0"'
# fills FILE MEGABYTES LIMIT OPTION... : a container that writes so much gets what fits into the limit (MiB), and is told why no more
fills() {
    local file=$1 megabytes=$2 limit=$3 text size
    shift 3
    text=$(run_in "$@" --tmpfs /tmp -- sh -c "$FILL" "$file" "$megabytes" "$REFUSAL")
    matches "$text" "$REFUSAL"
    size=$(tail -1 <<<"$text")
    [ "$size" -gt $(((limit - 4) << 20)) ] && [ "$size" -le $((limit << 20)) ] || { echo "$size bytes fit"; return 1; }
}
container_folder() { echo "$ENGINE/state/containers/$(bulkhead inspect -f '{{.Id}}' "$1")"; }
volume_folder() { bulkhead volume inspect -f '{{.Mountpoint}}' "$1"; }
# id_of FOLDER : its project's id, which is one of ours and inherited
id_of() {
    local id inherit
    read -r id inherit < <("$PROJECT" get "$1")
    equal "$inherit" 1 "inherited" >&2
    [ "$id" -ge "$FIRST" ] && [ "$id" -lt $((FIRST + 1048576)) ] || { echo "project $id" >&2; return 1; }
    echo "$id"
}
count_is() { equal "$("$PROJECT" count /tmp "$1")" "$2"; }

own_files_are_limited() {
    fills /file 48 32 --storage-opt size=32m
    fills /usr/file 48 24 --storage-opt size=24m
    equal "$(run_in --tmpfs /tmp -- sh -c "$FILL" /file 48 x)" 50331648 "without a limit"
    equal "$(loops)" 0 "loop devices"
}
shown_inside() {
    equal "$(run_in --storage-opt size=32m -- df -m / | awk 'END { print $2 }')" 32
}
# storage NAME : "usage limit", by the container's stats
storage() {
    curl -sf --unix-socket "$SOCKET" "http://d/v1.47/containers/$1/stats?stream=false&one-shot=1" |
        python3 -c 'import json, sys; s = json.load(sys.stdin)["storage_stats"]; print(s.get("usage"), s.get("limit"))'
}
stats_say_how_full() {
    local usage limit
    bulkhead run -d --name full --storage-opt size=24m --network none "$IMAGE" sh -c 'dd if=/dev/zero of=/big bs=1M count=16; exec sleep 1000'
    eventually uses_from full $((16 << 20))
    read -r usage limit < <(storage full)
    equal "$limit" $((24 << 20))
    [ "$usage" -le "$limit" ]
    bulkhead rm -f full
}
uses_from() { [ "$(storage "$1" | cut -d ' ' -f 1)" -ge "$2" ]; }
stays_over_restarts() {
    local id folder
    bulkhead run -d --name limited --storage-opt size=24m --network none "$IMAGE" sh -c 'dd if=/dev/zero of=/big bs=1M count=16; rm /bin/vi; exec sleep 1000'
    folder=$(container_folder limited)
    eventually test -s "$folder/limited/upper/big"
    id=$(id_of "$folder/limited")
    equal "$(id_of "$folder/limited/upper")" "$id" "the upper folder's"
    equal "$(id_of "$folder/limited/work")" "$id" "the work folder's"
    bulkhead stop -t 0 limited
    engine_halt "$ENGINE"
    system_restart
    bulkhead start limited
    equal "$(id_of "$folder/limited")" "$id"
    equal "$("$PROJECT" count /tmp "$id" | cut -d ' ' -f 2)" $((24 << 20))
    bulkhead diff limited | grep -q '^A /big$'
    bulkhead cp limited:/big - | wc -c
    bulkhead rm -f limited
    eventually count_is "$id" "0 0"
}
volumes_are_limited() {
    local id folder
    bulkhead volume create -o size=16m small
    fills /data/file 32 16 -v small:/data
    folder=$(volume_folder small)
    id=$(id_of "$folder")
    run_in -v small:/data -- sh -c 'rm /data/*; chown 7:8 /data; chmod 700 /data; echo kept >/data/kept'
    engine_halt "$ENGINE"
    system_restart
    equal "$(run_in -v small:/data -- sh -c 'cat /data/kept; stat -c "%u:%g %a" /data')" $'kept\n7:8 700'
    fills /data/file 32 16 -v small:/data
    matches "$(bulkhead system df -v | grep '^small ')" '1[56](\.[0-9]+)?MB|16\.[0-9]+MB'
    bulkhead volume rm small
    eventually count_is "$id" "0 0"
}
first_fill_counts() {
    bulkhead volume create -o size=16m filled
    bulkhead create --name filling -v filled:/bin --network none "$IMAGE" true
    equal "$(run_in -v filled:/seen -- sh -c 'cmp /bin/busybox /seen/busybox && echo same')" same
    bulkhead rm filling
    bulkhead volume rm filled
    bulkhead volume create -o size=1m tight
    bulkhead create --name filling -v tight:/bin --network none "$IMAGE" true 2>"$WORK/err" && return 1
    matches "$(cat "$WORK/err")" 'could not be copied into the volume'
    bulkhead volume rm tight
    equal "$(bulkhead ps -aq)" ""
}
names_are_limited() {
    bulkhead volume create -o size=1m names
    matches "$(run_in -v names:/data -- sh -c 'i=0; while [ $i -lt 400 ] && : >/data/$i; do i=$((i + 1)); done; ls /data | wc -l' 2>&1)" "$REFUSAL"
    bulkhead volume rm names
}
ids_stay() {
    local id
    bulkhead volume create -o size=8m mine
    id=$(id_of "$(volume_folder mine)")
    cp "$PROJECT" "$WORK/project"
    # the same call works outside of user namespaces
    "$WORK/project" set "$(volume_folder mine)" "$id" 0
    "$WORK/project" set "$(volume_folder mine)" "$id" 1
    cat >"$WORK/try" <<'SCRIPT'
mkdir /data/folder
/project get /data/folder || exit
for try in "/data 0 0" "/data 0 1" "/data @ 0" "/data/folder 0 0" "/data/folder 7 1" "/data/folder @ 0" "/ 0 0"; do
    set -- $try
    ! /project set "$1" "${2/@/$ID}" "$3" 2>&1 || echo "changed: $try"
done
SCRIPT
    run_in -v mine:/data -v "$WORK/project:/project:ro" -v "$WORK/try:/try:ro" -e ID="$id" --storage-opt size=8m --cap-add ALL \
        --security-opt seccomp=unconfined -- sh /try >"$WORK/tries"
    equal "$(head -1 "$WORK/tries")" "$id 1" "inside"
    equal "$(grep -c '^set: Invalid argument$' "$WORK/tries")" 7 "refusals" || { cat "$WORK/tries"; return 1; }
    ! grep changed "$WORK/tries" || return 1
    bulkhead volume rm mine
}
foreign_ids_stay_alone() {
    local i id taken=() folder
    # ids somebody else has in our range, and limits without files
    mkdir "$WORK/foreign"
    "$PROJECT" set "$WORK/foreign" $((FIRST + 5)) 1
    for i in 1 2 3 4; do
        bulkhead volume create -o size=4m "v$i"
        id=$(id_of "$(volume_folder "v$i")")
        [[ " ${taken[*]} $((FIRST + 5)) " != *" $id "* ]]
        taken+=("$id")
    done
    bulkhead volume rm v1 v2 v3 v4
    equal "$("$PROJECT" get "$WORK/foreign")" "$((FIRST + 5)) 1"
    rmdir "$WORK/foreign"
}
not_enforced_any_more() {
    local status=0
    bulkhead volume create -o size=8m held
    bulkhead create --name old --storage-opt size=8m --network none "$IMAGE" true
    bulkhead start -a old
    engine_halt "$ENGINE"
    "$PROJECT" enforce /tmp 0
    system_restart || status=1
    run_in -v held:/data -- true 2>"$WORK/err" && status=1
    matches "$(cat "$WORK/err")" 'mount .* with prjquota' || status=1
    bulkhead start -a old 2>"$WORK/err" && status=1
    matches "$(cat "$WORK/err")" 'mount .* with prjquota' || status=1
    REFUSAL='No space left on device' fills /file 48 32 --storage-opt size=32m || status=1 # on a disk
    engine_halt "$ENGINE"
    "$PROJECT" enforce /tmp 1
    system_restart
    bulkhead start -a old
    bulkhead rm old
    bulkhead volume rm held
    return $status
}

check "a container's own files are limited to --storage-opt size" own_files_are_limited
check "df inside shows the limit" shown_inside
check "stats say how much of the limit is used" stats_say_how_full
check "the limit and the files stay over restarts; removing the container frees its id" stays_over_restarts
check "a volume of a size holds no more; removing it frees its id" volumes_are_limited
check "what the image fills a volume with counts" first_fill_counts
check "empty files count, too" names_are_limited
check "no container changes a project id, whatever capability it has" ids_stay
check "ids that somebody uses are left alone" foreign_ids_stay_alone
check "what has a limit does not start when nothing enforces it" not_enforced_any_more
check "nothing is left" nothing_left
