#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Pulls from a registry that lies: about documents, sizes, ranges, and where to go next. The registry itself is on loopback and
# allowed; the honeypot is on loopback, too, and must never hear from us.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"

"$ROOT/deploy/make-busybox-image" "$WORK/first.tar"
GOOD=$WORK/good
image_folder "$WORK/first.tar" team/busybox 1 "$GOOD" >/dev/null
odd_registry "$GOOD"
attack_start --insecure_registry "$ODD" --private_registry "$ODD"
python3 "$ATTACK/documents.py" "$GOOD" team/busybox "$HONEYPOT" >"$WORK/documents" || { echo "not ok - the documents can be made"; exit 1; }
# another layer than the one that is there, so that it has to be fetched
tar -C /usr/share -cf "$WORK/layer.tar" zoneinfo/Europe
python3 "$TESTS/lib/images.py" archive "$WORK/other.tar" other:1 "$WORK/layer.tar"
image_folder "$WORK/other.tar" team/other 1 "$GOOD" >/dev/null

is_refused() { refused "$2" bulkhead pull "$ODD/team/busybox:$1"; }
misbehaves() { # PATTERN FAULT...
    local pattern=$1 faults
    shift
    faults=$(printf '"%s",' "$@")
    odd_faults "[${faults%,}]"
    local status=0
    refused "$pattern" bulkhead pull "$ODD/team/other:1" || status=$?
    odd_faults '[]'
    return $status
}
gives_up_on_silence() { # FAULT: the client goes away after two seconds, and so does the pull
    odd_faults "[\"$1\"]"
    ! timeout 2 bulkhead pull "$ODD/team/other:1" || return 1
    odd_faults '[]'
}

while IFS=$'\t' read -r name pattern <&6; do
    attack "manifest: $name" is_refused "$name" "$pattern"
done 6<"$WORK/documents"

for to in redirect redirect-manifest; do
    attack "$to to file://" misbehaves 'redirect|scheme|URL|file' "$to=file:///etc/passwd"
    attack "$to to the metadata service" misbehaves 'metadata|169\.254|not allowed|refused|HTTPS' "$to=http://169.254.169.254/latest/meta-data"
    attack "$to to the metadata service, over TLS" misbehaves 'metadata|169\.254|not allowed|refused' "$to=https://169.254.169.254/latest/meta-data"
    attack "$to to the honeypot" misbehaves 'loopback|not allowed|refused|HTTPS' "$to=http://127.0.0.1:$HONEYPOT/"
    attack "$to to the honeypot, over TLS" misbehaves 'loopback|not allowed|refused' "$to=https://127.0.0.1:$HONEYPOT/"
    attack "$to to the honeypot by another spelling" misbehaves '.' "$to=https://0x7f.1:$HONEYPOT/"
    attack "$to to the honeypot, mapped into IPv6" misbehaves 'loopback|not allowed|refused|host' "$to=https://[::ffff:127.0.0.1]:$HONEYPOT/"
    attack "$to to the honeypot by name" misbehaves '.' "$to=https://localhost:$HONEYPOT/"
    attack "$to to the honeypot behind a user name" misbehaves '.' "$to=https://$ODD@127.0.0.1:$HONEYPOT/"
    attack "$to to an address of this network" misbehaves 'private|not allowed|refused' "$to=https://10.0.0.1/"
    attack "$to with a new line" misbehaves '.' "$to=https://example.invalid/%0d%0aX: y"
done
attack "a redirect loop" misbehaves 'redirect' redirect-loop
attack "an endless head" misbehaves 'head|large|long|bytes' flood
attack "a header of 1 MiB" misbehaves 'head|large|long|bytes' long-header=1048576
attack "an endless manifest" misbehaves 'large|long|bytes' endless
attack "a blob that never ends where it should" misbehaves '.' extra=1000000
attack "wrong bytes for every blob" misbehaves 'digest|match|verif' corrupt
attack "wrong bytes for a range" misbehaves '.' stop=1000 range-lies
attack "another range than asked for" misbehaves '.' stop=1000 range-wrong
attack "a content type that lies" misbehaves '.' content-type=text/html
attack "a length that lies" misbehaves '.' length=1000
attack "a challenge that leads to the honeypot" misbehaves '.' status=401 "challenge=Bearer realm=\\\"http://127.0.0.1:$HONEYPOT/token\\\",service=\\\"x\\\""
attack "a challenge that leads to a file" misbehaves '.' status=401 'challenge=Bearer realm=\"file:///etc/passwd\"'
attack "a challenge of nonsense" misbehaves '.' status=401 'challenge=Bearer realm'
attack "an error page" misbehaves '.' status=418
attack "one byte a second" gives_up_on_silence slow=1
attack "a registry that never answers" gives_up_on_silence silent
