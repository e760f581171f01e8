#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What surrounds the commands: help, manual pages, completion by three shells, and the options that docker has.
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load
bulkhead create --name completed-one --network none busybox true >/dev/null

MADE=$BIN/../services/cli
COMMANDS=$(bulkhead --help | sed -n '/^Containers:$/,/^Groups/p' | sed -n 's/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p')

every_command_has_help() {
    [ "$(wc -l <<<"$COMMANDS")" -gt 55 ]
    while read -r command; do
        # shellcheck disable=SC2086
        bulkhead $command --help >"$WORK/help" 2>"$WORK/err"
        matches "$(head -1 "$WORK/help")" "^Usage:  bulkhead $command"
        equal "$(cat "$WORK/err")" ""
        # shellcheck disable=SC2086
        cmp "$WORK/help" <(bulkhead help $command)
    done <<<"$COMMANDS"
}
groups_list_their_verbs() {
    for group in container image volume network system audit; do
        matches "$(bulkhead $group)" "^Usage:  bulkhead $group COMMAND"
        exits 1 bulkhead $group nosuchverb
        matches "$(head -1 "$WORK/err")" "^bulkhead: unknown command: bulkhead $group nosuchverb$"
    done
    for verb in attach commit cp create diff exec export inspect kill logs ls pause port prune rename restart rm run start stats stop top \
        unpause update wait; do
        bulkhead container --help | grep -q "^  $verb "
        bulkhead container $verb --help >/dev/null
    done
    for verb in history import inspect load ls prune pull push rm save tag; do
        bulkhead image $verb --help >/dev/null
    done
}
aliases_are_the_same() {
    equal "$(bulkhead container ls -aq)" "$(bulkhead ps -aq)"
    equal "$(bulkhead image ls -q)" "$(bulkhead images -q)"
    equal "$(bulkhead system info)" "$(bulkhead info)"
}
# has_options_of COMMAND : every long option of docker's
has_options_of() {
    local option
    # shellcheck disable=SC2086
    bulkhead $1 --help >"$WORK/ours"
    # shellcheck disable=SC2086
    for option in $(docker $1 --help | sed -n 's/^ *\(-[a-zA-Z], \)\{0,1\}\(--[a-z0-9-]*\).*/\2/p'); do
        [ "$option" = --help ] || grep -q -- " $option\( \|$\)" "$WORK/ours" || { echo "$1 has no $option"; return 1; }
    done
}
wrong_words_are_told_in_one_line() {
    exits 1 bulkhead nosuch
    equal "$(head -1 "$WORK/err")" "bulkhead: unknown command: bulkhead nosuch"
    exits 125 bulkhead ps --nosuch
    equal "$(head -1 "$WORK/err")" "bulkhead: unknown flag: --nosuch"
    exits 1 bulkhead start
    matches "$(head -1 "$WORK/err")" "requires at least 1 argument"
}

manual_renders() { # without a warning
    local page count=0
    for page in "$MADE"/man/man*/*.[158]; do
        MANWIDTH=80 man --warnings -E UTF-8 -l "$page" >"$WORK/page" 2>"$WORK/err"
        equal "$(cat "$WORK/err")" "" "$page"
        grep -q '^NAME' "$WORK/page"
        grep -q '^SEE ALSO' "$WORK/page"
        count=$((count + 1))
    done
    [ "$count" -gt 60 ]
}
a_page_each() {
    while read -r command; do
        [ -s "$MADE/man/man1/bulkhead-${command// /-}.1" ]
    done <<<"$COMMANDS"
}
every_option_is_in_the_page() {
    man -l "$MADE/man/man1/bulkhead-run.1" | col -b >"$WORK/page"
    for option in $(bulkhead run --help | sed -n 's/^ *\(-[a-zA-Z], \)\{0,1\}\(--[a-z0-9-]*\).*/\2/p'); do
        grep -q -- "$option\( \|,\|$\)" "$WORK/page" || { echo "no $option"; return 1; }
    done
}
settings_are_in_the_page() {
    man -l "$MADE/man/man5/bulkhead.conf.5" | col -b >"$WORK/page"
    for key in $("$BIN/bulkheadd" --help | sed -n 's/^  --\([a-z_]*\) .*/\1/p'); do
        grep -q "$key" "$WORK/page" || { echo "no $key"; return 1; }
    done
}

bash_completes() { # LINE WANTED...
    local line=$1
    shift
    bash -c 'source <(bulkhead completion bash); COMP_LINE=$1 COMP_POINT=${#1}; _bulkhead; printf "%s\n" "${COMPREPLY[@]}"' - "$line" |
        sort >"$WORK/candidates"
    for wanted in "$@"; do
        grep -qx -- "$wanted" "$WORK/candidates" || { echo "\"$line\" offers no \"$wanted\" but:"; cat "$WORK/candidates"; return 1; }
    done
}
bash_completion() {
    cmp "$MADE/completions/bulkhead" <(bulkhead completion bash)
    bash -n "$MADE/completions/bulkhead"
    bash_completes "bulkhead ru" run
    bash_completes "bulkhead vol" volume
    bash_completes "bulkhead volume " create ls inspect rm prune
    bash_completes "bulkhead run --net" --network --network-alias
    bash_completes "bulkhead run --pull=" always missing never
    bash_completes "bulkhead run -it --rm bus" busybox:latest
    bash_completes "bulkhead run busybox:" latest
    bash_completes "bulkhead start " completed-one
    bash_completes "bulkhead rm -f completed" completed-one
    bash_completes "bulkhead cp completed" completed-one:
    bash_completes "bulkhead -H unix:///nosuch restart " ""
    bash_completes "bulkhead -H unix://$SOCKET restart " completed-one
}
zsh_completion() {
    zsh -n "$MADE/completions/_bulkhead"
    zsh -f -c 'compdef() { }; _files() { print -- files }; _describe() { print -l -- "${(@P)4}" }
        source '"$MADE"'/completions/_bulkhead; words=(bulkhead start compl); CURRENT=3; _bulkhead' >"$WORK/candidates"
    matches "$(cat "$WORK/candidates")" "^completed-one:busybox"
}
fish_completion() {
    fish -n "$MADE/completions/bulkhead.fish"
    fish -c "source $MADE/completions/bulkhead.fish; complete -C 'bulkhead start compl'" >"$WORK/candidates"
    matches "$(cat "$WORK/candidates")" "^completed-one"
}
a_dead_engine_does_not_hang_completion() { # one that accepts and never answers
    python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(5)
print("ready", flush=True); time.sleep(30)' "$WORK/mute.sock" >"$WORK/mute" &
    local pid=$! status=0
    eventually grep -q ready "$WORK/mute"
    timeout 5 bulkhead -H "unix://$WORK/mute.sock" __complete -- start "" >"$WORK/out" || status=$?
    kill $pid
    equal "$status" 0
    equal "$(cat "$WORK/out")" ""
}

check "every command has help, and help says the same" every_command_has_help
check "groups list their verbs and refuse others" groups_list_their_verbs
check "management commands are the same commands" aliases_are_the_same
for command in run create exec cp ps logs commit update stats events images history save import pull push attach start rm rmi inspect port \
    "volume create" "volume ls" "network create" "network ls" "network connect" "system df" "system prune" "container prune" "image prune"; do
    check "docker's options of $command are all there" has_options_of "$command"
done
check "a wrong word is told in one line" wrong_words_are_told_in_one_line
check "the manual renders without warnings" manual_renders
check "every command has a page" a_page_each
check "the page of run has every option" every_option_is_in_the_page
check "the page of bulkhead.conf has every setting" settings_are_in_the_page
check "bash completes commands, options, values and names" bash_completion
check "zsh completes names" zsh_completion
check "fish completes names" fish_completion
check "an engine that does not answer costs completion a second" a_dead_engine_does_not_hang_completion
