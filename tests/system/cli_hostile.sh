#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A client among enemies: archives that a container made up for `cp`, an engine that lies, pipes that break. No engine of ours is
# needed: tests/lib/fake_engine.py plays it.
# sanitize
source "$(dirname "$0")/../lib/check.sh"
export PATH=$BIN:$PATH
export DOCKER_CONFIG=$WORK/docker
unset BULKHEAD_HOST DOCKER_API_VERSION
export DOCKER_HOST=unix://$WORK/fake.sock
mkdir "$WORK/fake"
python3 "$TESTS/lib/fake_engine.py" "$WORK/fake.sock" "$WORK/fake" >"$WORK/fake.log" 2>&1 7>&- &
at_end "kill $!"
disown
eventually grep -q ready "$WORK/fake.log"

# Mode of a folder, and of a file, as the API writes them.
FOLDER='{"name":"x","size":0,"mode":2147484141,"mtime":"2024-01-01T00:00:00Z","linkTarget":""}'
FILE='{"name":"x","size":5,"mode":420,"mtime":"2024-01-01T00:00:00Z","linkTarget":""}'

# archive NAME STAT PYTHON : an archive whose entries the code adds with dir(), file(), link(), hard() and node()
archive() {
    printf '%s' "$2" >"$WORK/fake/$1.stat"
    python3 - "$WORK/fake/$1.tar" "$3" <<'END'
import io, sys, tarfile
tar = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
def add(name, kind, target="", data=b"", mode=0o644):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, target, len(data), mode
    info.devmajor, info.devminor = 1, 3
    tar.addfile(info, io.BytesIO(data))
def dir(name, mode=0o755): add(name, tarfile.DIRTYPE, mode=mode)
def file(name, data=b"evil\n", mode=0o644): add(name, tarfile.REGTYPE, data=data, mode=mode)
def link(name, target): add(name, tarfile.SYMTYPE, target)
def hard(name, target): add(name, tarfile.LNKTYPE, target)
def node(name): add(name, tarfile.CHRTYPE)
exec(sys.argv[2])
tar.close()
END
}
# setting : a folder to copy into, with something outside it that must not change
setting() {
    rm -rf "$WORK/home"
    mkdir -p "$WORK/home/target" "$WORK/home/outside"
    echo mine >"$WORK/home/outside/file"
    echo mine >"$WORK/home/sibling"
    cd "$WORK/home"
}
untouched() {
    equal "$(find "$WORK/home" -path "$WORK/home/target" -prune -o -print | sort | tr '\n' ' ')" \
        "$WORK/home $WORK/home/outside $WORK/home/outside/file $WORK/home/sibling " "what lies outside the target"
    equal "$(cat "$WORK/home/outside/file" "$WORK/home/sibling")" "$(printf 'mine\nmine')"
}
# repels NAME : the copy fails with one line, and nothing outside has changed
repels() {
    setting
    exits 1 bulkhead cp "$1:/x" target
    one_line "$WORK/err"
    untouched
}

good_copy() { # without it the rest would prove nothing
    archive good "$FOLDER" 'dir("x"); file("x/a"); dir("x/in", 0o751); file("x/in/b", b"b", 0o755); link("x/l", "/etc/passwd"); hard("x/h", "x/a")'
    setting
    bulkhead cp good:/x target
    equal "$(cat target/x/a target/x/h)" "$(printf 'evil\nevil')"
    equal "$(readlink target/x/l)" /etc/passwd
    equal "$(stat -c %a target/x/in)/$(stat -c %a target/x/in/b)" 751/755
    untouched
}
climbing() { archive climb "$FOLDER" 'dir("x"); file("x/../../outside/file")'; repels climb; }
climbing_first() { archive climb1 "$FOLDER" 'file("../sibling")'; repels climb1; }
absolute() {
    archive absolute "$FOLDER" "dir('x'); file('$WORK/home/outside/file')"
    repels absolute
}
through_absolute_link() {
    archive abslink "$FOLDER" "dir('x'); link('x/l', '$WORK/home/outside'); file('x/l/file')"
    repels abslink
}
through_relative_link() { archive rellink "$FOLDER" 'dir("x"); link("x/l", "../../outside"); file("x/l/file")'; repels rellink; }
through_chain_of_links() {
    archive chain "$FOLDER" 'dir("x"); link("x/a", ".."); link("x/b", "a/.."); file("x/b/outside/file")'
    repels chain
}
top_is_a_link() { archive top "$FOLDER" 'link("x", "../outside"); file("x/file")'; repels top; }
over_a_link() { # a link, and then a file of the same name: the file replaces the link
    archive over "$FOLDER" 'dir("x"); link("x/l", "../../outside/file"); file("x/l")'
    setting
    bulkhead cp over:/x target
    [ ! -L target/x/l ]
    untouched
}
over_our_own_link() { # the same with a link that was there before
    archive ours "$FOLDER" 'dir("x"); file("x/l")'
    setting
    mkdir target/x
    ln -s ../../outside/file target/x/l
    bulkhead cp ours:/x target
    untouched
}
hard_link_out() { archive hard "$FOLDER" 'dir("x"); hard("x/h", "../outside/file")'; repels hard; }
hard_link_through_link() {
    archive hardlink "$FOLDER" 'dir("x"); link("x/l", "../../outside"); hard("x/h", "x/l/file"); file("x/h")'
    repels hardlink
}
another_name() { archive other "$FOLDER" 'file("y")'; repels other; }
a_sibling_of_a_file() { # `cp c:/x target/new` must make target/new and nothing else
    archive sibling "$FILE" 'file("x"); file("y")'
    setting
    exits 1 bulkhead cp sibling:/x target/new
    equal "$(ls target)" new
    untouched
}
a_folder_for_a_file() {
    archive liar "$FILE" 'dir("x"); file("x/deep")'
    setting
    bulkhead cp liar:/x target/new
    equal "$(find target | sort | tr '\n' ' ')" "target target/new target/new/deep "
}
no_device_nodes() {
    archive device "$FOLDER" 'dir("x"); node("x/null"); file("x/after")'
    setting
    exits 1 bulkhead cp device:/x target
    matches "$(cat "$WORK/err")" 'skipped x/null'
    [ ! -e target/x/null ]
    [ -f target/x/after ]
}
no_set_id() {
    archive setid "$FOLDER" 'dir("x", 0o2755); file("x/su", b"", 0o6755)'
    setting
    bulkhead cp setid:/x target
    equal "$(stat -c %a target/x)/$(stat -c %a target/x/su)" 755/755
    bulkhead cp -a setid:/x target
    equal "$(stat -c %a target/x/su)" 6755
}
torn() {
    archive torn "$FOLDER" 'dir("x"); file("x/a", b"z" * 100000)'
    truncate -s 5000 "$WORK/fake/torn.tar"
    repels torn
}
no_archive() {
    archive garbage "$FOLDER" 'pass'
    head -c 100000 /dev/urandom >"$WORK/fake/garbage.tar"
    repels garbage
}
a_name_with_control_characters() { # must not reach the terminal as they are
    archive control "$FOLDER" 'dir("x"); node("x/\x1b]0;title\x07")'
    setting
    exits 1 bulkhead cp control:/x target
    ! grep -q "$(printf '\033')" "$WORK/err"
}
is_there_what_was_asked() { # stdout as it came
    bulkhead cp good:/x - | cmp - "$WORK/fake/good.tar"
}

stdout_closed() { # told, not silent
    exits 1 bash -c 'bulkhead ps --help >/dev/full'
    exits 1 bash -c 'bulkhead version >/dev/full'
}
pipe_broken() { # ends at once, by the signal, without a word
    timeout 10 bash -c 'bulkhead cp good:/x - | true'
}
standard_descriptors_closed() { exits 0 bash -c 'bulkhead version <&- >"$0" 2>&-' "$WORK/version" && grep -q Client "$WORK/version"; }
no_engine() {
    exits 1 bulkhead -H "unix://$WORK/nosuch.sock" ps
    one_line "$WORK/err"
    matches "$(cat "$WORK/err")" "Cannot connect to the engine"
}
not_http() { # an engine that speaks something else
    python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(5)
print("ready", flush=True)
while True:
    c, _ = s.accept(); c.recv(4096); c.sendall(b"220 smtp ready\r\n\r\n"); c.close()' "$WORK/smtp.sock" >"$WORK/smtp" &
    local pid=$!
    eventually grep -q ready "$WORK/smtp"
    exits 1 timeout 10 bulkhead -H "unix://$WORK/smtp.sock" ps
    kill $pid
    matches "$(cat "$WORK/err")" "not HTTP/1.1"
}

check "a copy with folders, links and hard links arrives whole" good_copy
check "cp - gives the archive as it came" is_there_what_was_asked
check "an entry with .. writes nothing outside" climbing
check "a first entry with .. writes nothing outside" climbing_first
check "an absolute entry writes nothing outside" absolute
check "nothing is written through an absolute link" through_absolute_link
check "nothing is written through a relative link" through_relative_link
check "nothing is written through a chain of links" through_chain_of_links
check "the topmost entry as a link leads nowhere" top_is_a_link
check "a file replaces a link of the archive" over_a_link
check "a file replaces a link of the user's" over_our_own_link
check "a hard link to the outside is refused" hard_link_out
check "a hard link through a link is refused" hard_link_through_link
check "an entry that was not asked for is refused" another_name
check "a second entry beside a file is refused" a_sibling_of_a_file
check "a folder instead of a file stays below the target" a_folder_for_a_file
check "device nodes are told and left out" no_device_nodes
check "set-id bits only with --archive" no_set_id
check "a torn archive is an error" torn
check "garbage is an error" no_archive
check "control characters of names do not reach the terminal" a_name_with_control_characters
check "a full standard output is an error" stdout_closed
check "a broken pipe ends the command" pipe_broken
check "closed standard descriptors do no harm" standard_descriptors_closed
check "no engine: one line that says so" no_engine
check "an engine that does not speak HTTP" not_http
