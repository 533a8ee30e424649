#!/bin/bash
# Runs Samba's smbtorture against the server, and compares what passes with tests/smb/passes.txt.
# Usage: tests/smb/torture.sh [--write] [SUITE...]
#   SUITE     of smbtorture, without `smb2.` (default: the quick ones; lease, notify, oplock and replay take minutes,
#             notify more than the default of LIMIT; after secleak the server is slow to take logons, so it comes last)
#   --write   add what passes to tests/smb/passes.txt
# Environment:
#   SERVER_BIN   default target/release/dittofs
#   LIMIT        seconds for each suite, default 120
#   KEEP         a folder that gets what smbtorture and the server have said
# Needs Debian's samba-testsuite and python3. Exit status: 0 when every test of these suites passed that is in
# passes.txt.
# samba-passes.txt has the names that Samba 4.17.12 passes, missing.txt those of them that don't here, and why.
# A suite in which something is missing is run once more: some tests measure time, and other programs have their turns.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
quick=(connect tcon mkdir openattr winattr sdread read rw credits compound compound_find compound_async create getinfo
  rename sharemode deny lock session-id dir ioctl fileid charset delete-on-close-perms timestamps session durable-open
  durable-open-disconnect durable-v2-open durable-v2-delay streams ioctl-on-stream)
ci=(connect tcon mkdir openattr winattr sdread read rw credits compound create getinfo rename sharemode deny lock
  session-id session ioctl fileid charset async_dosmode streams ioctl-on-stream
  replay.dhv2-pending2n-vs-lease-sane)
write='' suites=()
while [ $# -gt 0 ]; do
  case $1 in
    --write) write=1; shift ;;
    --ci) suites=("${ci[@]}"); shift ;;
    -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    -*) echo "torture.sh: unknown option $1" >&2; exit 2 ;;
    *) suites+=("$1"); shift ;;
  esac
done
[ ${#suites[@]} != 0 ] || suites=("${quick[@]}")
command -v smbtorture >/dev/null || { echo "torture.sh: install samba-testsuite" >&2; exit 2; }
work=$(mktemp -d "${TMPDIR:-/tmp}/dittofs-torture.XXXXXX")
server=''
finish() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  [ -z "${KEEP:-}" ] || cp "$work"/log "$work"/*.txt "$KEEP" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
port=${SMB_PORT:-12645}
cat >"$work/dittofs.yaml" <<CONFIG
metadata: { stores: { m: { type: redb, redb: { path: metadata } } } }
content: { stores: { c: { type: fs, fs: { path: content } } } }
journal: { path: journal, size: 512MiB }
shares: [{ name: /export, metadata_store: m, content_store: c, squash: none, secure_ports: false }]
adapters: { smb: { listen: "127.0.0.1:$port", signing: optional } }
CONFIG
program=${SERVER_BIN:-$root/target/release/dittofs}
# Not root, to whom nothing is denied.
echo secret | "$program" user add torture --uid 1000 --gid 1000 --config "$work/dittofs.yaml" --data "$work/data" >/dev/null
nfs=$((port + 1))
"$program" serve --config "$work/dittofs.yaml" --data "$work/data" --nfs 127.0.0.1:$nfs >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
  ! grep -q cifs "$work/out" || break
  sleep 0.1
done
# So that the share's root may be written to.
python3 "$here/give_root.py" "$nfs" /export 1000
run_suite() { # SUITE: adds what passes to SUITE.passed
  timeout "${LIMIT:-120}" smbtorture "//127.0.0.1/export" -p "$port" -U torture%secret --fullname "smb2.$1" \
    >"$work/$1.txt" 2>&1 || true
  sed -n 's/^success: \(smb2\.\)\{0,1\}/smb2./p' "$work/$1.txt" >>"$work/$1.passed"
}
missing() { # SUITE: what should have passed, and did not
  grep -E "^smb2\.$1(\.|$)" "$here/passes.txt" | grep -vxFf "$work/$1.passed" || true
}
for suite in "${suites[@]}"; do
  run_suite "$suite"
  [ -z "$(missing "$suite")" ] || run_suite "$suite"
  sort -u -o "$work/$suite.passed" "$work/$suite.passed"
  echo "$suite: $(wc -l <"$work/$suite.passed") of $(grep -cE '^(success|failure|error|skip):' "$work/$suite.txt") passed"
done
kill -0 "$server" || { echo "torture.sh: the server has ended" >&2; tail "$work/log" >&2; exit 1; }
sort -u "$work"/*.passed >"$work/all"
if [ -n "$write" ]; then
  sort -u "$work/all" "$here/passes.txt" >"$work/merged" 2>/dev/null || cp "$work/all" "$work/merged"
  cp "$work/merged" "$here/passes.txt"
fi
rc=0
for suite in "${suites[@]}"; do
  left=$(missing "$suite")
  [ -z "$left" ] || { sed 's/^/no longer passed: /' <<<"$left"; rc=1; }
done
echo "$(comm -12 "$work/all" <(sort "$here/samba-passes.txt") | wc -l) of these pass with Samba as well"
exit $rc
