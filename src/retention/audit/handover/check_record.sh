#!/bin/sh
# Check one record of the log with openssl and nothing else but the tools of every Unix system.
#
#     sh check_record.sh FILE.tlog-proof FILE.json KEY.pem
#
# 1. leaf hash: SHA-256 of a zero byte and the record
# 2. inclusion path: neighbours hashed together behind a byte 1, up to the root (RFC 9162, 2.1.3.2)
# 3. the root is the one in the checkpoint, and the checkpoint is signed by the key
#
# The size that steers the second step is the one in the signed checkpoint. Exit: 0 shown, 1 not shown.
set -eu
LC_ALL=C
export LC_ALL

fail() { echo "NOT SHOWN: $1"; exit 1; }
[ $# -eq 3 ] || { echo "usage: sh check_record.sh FILE.tlog-proof FILE.json KEY.pem" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Base64 has one spelling here: what decodes must encode to the same text again.
decode() {
    printf '%s' "$1" | openssl base64 -d -A > "$work/$2" 2> /dev/null || fail "base64 cannot be read"
    [ "$(openssl base64 -A -in "$work/$2")" = "$1" ] || fail "base64 is not canonical"
}
hash_to() { openssl dgst -sha256 -binary > "$work/$1"; }
number() {
    case $1 in '' | *[!0-9]* | 0?*) fail "$2 is not a number" ;; esac
    [ ${#1} -le 18 ] || fail "$2 is too large"
}

# A file is read by line, so a byte that no line holds must not be there.
[ "$(tr -d '\000-\011\013-\037\177' < "$1" | wc -c)" -eq "$(wc -c < "$1")" ] || fail "control characters"
[ "$(tail -c 1 "$1" | od -An -tx1 | tr -d ' ')" = 0a ] || fail "the last line has no end"

exec 3< "$1"
IFS= read -r line <&3 && [ "$line" = "c2sp.org/tlog-proof@v1" ] || fail "not a proof"
IFS= read -r line <&3 || fail "no index"
case $line in "extra "*) IFS= read -r line <&3 || fail "no index" ;; esac
case $line in "index "*) index=${line#index } ;; *) fail "no index" ;; esac
number "$index" index
: > "$work/path"
while IFS= read -r line <&3 && [ -n "$line" ]; do printf '%s\n' "$line" >> "$work/path"; done
IFS= read -r origin <&3 && IFS= read -r size <&3 && IFS= read -r root <&3 || fail "no checkpoint"
number "$size" size
printf '%s\n%s\n%s\n' "$origin" "$size" "$root" > "$work/text"
IFS= read -r line <&3 && [ -z "$line" ] || fail "no empty line before the signatures"

# A line by another name is a witness's and is passed over; one by the log's own name counts where the key made it.
signed=no
while IFS= read -r line <&3; do
    rest=${line#'— '}
    [ "$rest" != "$line" ] || fail "a signature line is not of its form"
    [ "${rest% *}" = "$origin" ] || continue
    decode "${rest##* }" signature
    tail -c +5 "$work/signature" > "$work/bare"
    if openssl pkeyutl -verify -pubin -inkey "$3" -rawin -in "$work/text" -sigfile "$work/bare" > /dev/null 2>&1; then
        openssl pkey -pubin -in "$3" -outform DER | tail -c 32 > "$work/raw"
        { printf '%s\n\001' "$origin"; cat "$work/raw"; } | openssl dgst -sha256 -binary | head -c 4 > "$work/id"
        head -c 4 "$work/signature" | cmp -s - "$work/id" || fail "the key id does not belong to the key"
        signed=yes
    fi
done
[ $signed = yes ] || fail "the checkpoint is not signed by this key"

[ "$index" -lt "$size" ] || fail "there is no such index in a log of this size"
{ printf '\000'; cat "$2"; } | hash_to result
leaf=$({ printf '\000'; cat "$2"; } | sha256sum | cut -d ' ' -f 1)
place=$index
last=$((size - 1))
while IFS= read -r line; do
    [ "$last" -gt 0 ] || fail "the path is too long"
    decode "$line" sibling
    [ "$(wc -c < "$work/sibling")" -eq 32 ] || fail "a hash does not have 32 bytes"
    if [ $((place % 2)) -eq 1 ] || [ "$place" -eq "$last" ]; then
        { printf '\001'; cat "$work/sibling" "$work/result"; } | hash_to next
        while [ $((place % 2)) -eq 0 ] && [ "$place" -gt 0 ]; do
            place=$((place / 2))
            last=$((last / 2))
        done
    else
        { printf '\001'; cat "$work/result" "$work/sibling"; } | hash_to next
    fi
    mv "$work/next" "$work/result"
    place=$((place / 2))
    last=$((last / 2))
done < "$work/path"
[ "$last" -eq 0 ] || fail "the path is too short"
[ "$(openssl base64 -A -in "$work/result")" = "$root" ] || fail "the path does not lead to the root that was signed"

# Whoever made the file chose the name of the log: only what cannot pass for anything else is printed as it is.
case $origin in *[!A-Za-z0-9._/+@-]*) origin="a log of the name (bytes) $(printf '%s' "$origin" | od -An -v -tx1 | tr -d ' \n')" ;; esac
echo "SHOWN: record $index of $size in $origin"
echo "  leaf hash    $leaf"
echo "  signed root  $root"
echo "  key          sha256 $(openssl pkey -pubin -in "$3" -outform DER | sha256sum | cut -d ' ' -f 1): compare it"
