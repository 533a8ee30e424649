#!/bin/bash
# Measures two programs in turns within one run: how fast written data reaches objects, and random writes, on a folder
# and on an S3 server behind a network of 20 ms. Prints medians and the ratio of the second program to the first. Needs
# 20 GiB on the disk of TMPDIR.
# Usage: tests/bench/compare.sh BEFORE AFTER [--output FILE]
#   BEFORE, AFTER   release builds of the server
# Environment:
#   ROUNDS      turns of each program (5)
#   SIZE        MiB that are written in one go (8192)
#   SECS        for how long random blocks are written, each time (20)
#   NFSBENCH    the load generator; the default is what tests/bench/nfs.sh has built
#   RIG_BIN     the rig of tests/bench/s3.sh; without it S3 is left out
# Exit status: 0 when no rate has fallen below 0.95.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -ge 2 ] || { sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 2; }
declare -A program=([before]=$(realpath "$1") [after]=$(realpath "$2"))
output=/dev/stdout
[ "${3:-}" != --output ] || output=$(realpath -m "$4")
nfsbench=${NFSBENCH:-${XDG_CACHE_HOME:-$HOME/.cache}/dittofs-bench/nfsbench/target/release/nfsbench}
[ -x "$nfsbench" ] || { echo "compare.sh: no nfsbench at $nfsbench: run tests/bench/nfs.sh --quick once" >&2; exit 2; }
port=13950
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

configure() { # WHICH: an older program may not know that ports can be secure
  cat >"$work/$1.yaml" <<YAML
metadata: { stores: { local: { type: redb, redb: { path: metadata } } } }
content: { stores: { local: { type: fs, fs: { path: content } } } }
shares: [{ name: /export, metadata_store: local, content_store: local, squash: none, secure_ports: false }]
YAML
  "${program[$1]}" config check --config "$work/$1.yaml" >/dev/null 2>&1 || sed -i 's/, secure_ports: false//' "$work/$1.yaml"
}
start() {
  rm -rf "$work/data"
  "${program[$1]}" serve --config "$work/$1.yaml" --data "$work/data" --nfs 127.0.0.1:$port >"$work/log" 2>&1 &
  server=$!
  until timeout 5 nfs-ls "nfs://127.0.0.1/export?version=3&nfsport=$port&mountport=$port" >/dev/null 2>&1; do
    kill -0 "$server" || { cat "$work/log" >&2; exit 1; }
    sleep 0.02
  done
}
stop() { # ends it cleanly: then everything is in objects
  kill -TERM "$server"
  wait "$server"
  server=
}
load() {
  "$nfsbench" --port $port --mountport $port --export /export --pid "$server" --repeat 1 --json "$work/rows" "$@" >"$work/load"
}
note() { echo "$1 $2 $3" >>"$work/figures"; } # WHAT WHICH RATE
since() { awk -v a="$1" -v b="$(date +%s.%N)" 'BEGIN { print b - a }'; }

round() { # WHICH
  local from
  sync
  start "$1"
  from=$(date +%s.%N)
  load --workload seqwrite --size "${SIZE:-8192}" --secs 1
  stop
  note "sequential write until all data is in objects (MiB/s)" "$1" "$(awk -v a="${SIZE:-8192}" -v b="$(since "$from")" 'BEGIN { print a / b }')"
  sync
  start "$1"
  rm -f "$work/rows"
  load --workload randwrite --size 1024 --depth 16 --syncdepth 16 --secs "${SECS:-20}"
  stop
  python3 - "$work/rows" <<'PY' | while read -r rate what; do note "$what" "$1" "$rate"; done
import json, sys
for row in map(json.loads, open(sys.argv[1])):
    print(row["rate"], row["workload"], "(/s)", row.get("depth", ""))
PY
}

s3() { # WHICH
  local program=${program[$1]}
  if ! "$program" serve --help | grep -q insecure-ports; then
    # The rig starts every program with it.
    cat >"$work/without" <<SH
#!/bin/bash
for word; do [ "\$word" = --insecure-ports ] || words+=("\$word"); done
exec "$program" "\${words[@]}"
SH
    chmod +x "$work/without"
    program=$work/without
  fi
  "$RIG_BIN" --program "$program" --output "$work/s3.md" --rounds 1 >"$work/log" 2>&1 || { tail -3 "$work/log" >&2; }
  sed -n 's/^| \(sequential write[^|]*\|cold sequential read;[^|]*\) | \([0-9.]*\) MiB.*/\2 S3: \1/p' "$work/s3.md" |
    while read -r rate what; do note "$what (MiB/s)" "$1" "$rate"; done
}

configure before
configure after
for number in $(seq "${ROUNDS:-5}"); do
  # Whoever comes second finds another disk.
  if [ $((number % 2)) = 1 ]; then turns="before after"; else turns="after before"; fi
  for which in $turns; do
    round "$which"
    [ -z "${RIG_BIN:-}" ] || s3 "$which"
  done
done
python3 - "$work/figures" >"$output" <<'PY'
import re, statistics, sys
found = {}
for line in open(sys.argv[1]):
    what, which, rate = re.match(r"(.*) (before|after) (\S+)$", line).groups()
    found.setdefault(what, {}).setdefault(which, []).append(float(rate))
low = False
print("| what | before | after | ratio |\n|---|---:|---:|---:|")
for what, rates in found.items():
    before, after = (statistics.median(rates[which]) for which in ("before", "after"))
    low |= after < 0.95 * before
    print(f"| {what} | {before:.4g} | {after:.4g} | {after / before:.2f} |")
sys.exit(low)
PY
