#!/bin/bash
# Measures what tests/bench/nfs.sh does not: the time until written bytes are in objects, and a start after kill -9 with
# a full journal. Uses the disk of TMPDIR, and needs 20 GiB of it; writes docs/performance-disk.md.
# Usage: tests/bench/disk.sh [--output FILE]
# Environment:
#   ROUNDS        how often the 8 GiB are written (3)
#   SECS          for how long stable writes are measured, each time (60)
#   NFSBENCH      the load generator; the default is what tests/bench/nfs.sh has built
#   SERVER_BIN    default target/release/dittofs
# Root only (real-time priority). Needs what tests/bench/setup.sh installs, and curl.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
output=$root/docs/performance-disk.md
[ "${1:-}" != --output ] || output=$(realpath -m "$2")
nfsbench=${NFSBENCH:-${XDG_CACHE_HOME:-$HOME/.cache}/dittofs-bench/nfsbench/target/release/nfsbench}
server_bin=${SERVER_BIN:-$root/target/release/dittofs}
[ -x "$nfsbench" ] || { echo "disk.sh: no nfsbench at $nfsbench: run tests/bench/nfs.sh --quick once" >&2; exit 2; }
[ -x "$server_bin" ] || { echo "disk.sh: no $server_bin: cargo build --release -p dittofs" >&2; exit 2; }
port=13940 monitoring=13941
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
cat >"$work/dittofs.yaml" <<EOF
metadata: { stores: { local: { type: redb, redb: { path: metadata } } } }
content: { stores: { local: { type: fs, fs: { path: content } } } }
adapters: { admin: { listen: 127.0.0.1:$monitoring } }
shares: [{ name: /export, metadata_store: local, content_store: local, squash: none, secure_ports: false }]
EOF

start() {
  "$server_bin" serve --config "$work/dittofs.yaml" --data "$work/data" --nfs 127.0.0.1:$port >"$work/log" 2>&1 &
  server=$!
}
serving() {
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
load() { # WORKLOAD MIB SECONDS
  "$nfsbench" --port $port --mountport $port --export /export --pid "$server" --workload "$1" --size "$2" --secs "$3" --repeat 1
}
now() { date +%s.%N; }
per() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
metric() { curl -s "http://127.0.0.1:$monitoring/metrics" | awk -v name="$1" 'index($1, name "{") == 1 || $1 == name { sum += $2 } END { printf "%.0f", sum }'; }

sustained() {
  local from seconds disk
  for _ in $(seq "${ROUNDS:-3}"); do
    rm -rf "$work/data"
    from=$(now)
    dd if=/dev/zero of="$work/plain" bs=1M count=4096 conv=fdatasync status=none
    disk=$(per 4096 "$(awk -v a="$from" -v b="$(now)" 'BEGIN { print b - a }')")
    rm "$work/plain"
    start
    serving
    from=$(now)
    load seqwrite 8192 1 >"$work/load"
    stop
    seconds=$(awk -v a="$from" -v b="$(now)" 'BEGIN { print b - a }')
    echo "- 8 GiB written, committed, and flushed to objects: $(per 8192 "$seconds") MiB/s, $(per "$(per 8192 "$seconds")" "$disk") of the rate of dd with fdatasync ($disk MiB/s)"
  done
}

full_journal() {
  rm -rf "$work/data"
  start
  serving
  load seqwrite 14000 30 >"$work/load" 2>&1 &
  local client=$! from used
  while kill -0 $client 2>/dev/null && [ "$(metric dittofs_journal_used_bytes)" -lt $((3700 << 20)) ]; do sleep 0.1; done
  used=$(metric dittofs_journal_used_bytes)
  kill -9 "$server"
  wait "$server" 2>/dev/null || true
  kill $client 2>/dev/null || true
  wait $client 2>/dev/null || true
  from=$(now)
  start
  serving
  echo "- time to the first answer after kill -9 with $((used >> 20)) MiB in the journal: $(awk -v a="$from" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }') s"
  kill -9 "$server"
  wait "$server" 2>/dev/null || true
  server=
}

# The 99.9th percentile, in ms, of writing 4 KiB over a file that was written before, and syncing them, one after the other.
bare() {
  python3 - "$work/bare" "${SECS:-60}" <<'PY'
import os, sys, time
path, end = sys.argv[1], time.monotonic() + float(sys.argv[2])
block, blocks, took = os.urandom(4096), 16384, []
file = os.open(path, os.O_RDWR | os.O_CREAT)
for number in range(blocks):
    os.pwrite(file, block, number * 4096)
os.fsync(file)
while time.monotonic() < end:
    before = time.perf_counter()
    os.pwrite(file, block, len(took) % blocks * 4096)
    os.fdatasync(file)
    took.append(time.perf_counter() - before)
os.unlink(path)
print(f"{sorted(took)[len(took) * 999 // 1000] * 1000:.2f}")
PY
}

# Stable writes with flushes and checkpoints beside them, at normal and at real-time priority.
latencies() {
  local alone kind
  alone=$(bare)
  echo "- 4 KiB writes with fdatasync, one at a time, without a server: p99.9 $alone ms"
  for kind in normal real-time; do
    rm -rf "$work/data" "$work/rows"
    start
    serving
    [ $kind = normal ] || chrt -a -r -p 5 "$server"
    "$nfsbench" --port $port --mountport $port --export /export --pid "$server" --workload randwrite --size 1024 --depth 16 \
      --syncdepth 16 --secs "${SECS:-60}" --repeat 1 --json "$work/rows" >"$work/load"
    stop
    python3 - "$work/rows" $kind "$alone" <<'PY'
import json, sys
rows, kind, alone = sys.argv[1], sys.argv[2], float(sys.argv[3])
for row in map(json.loads, open(rows)):
    if row["workload"] == "randwrite-4k-filesync":
        p999 = row["p999_us"] / 1000
        print(f"- 4 KiB FILE_SYNC, 16 in flight for {row['secs']:.0f} s, {kind} priority: {row['rate']:.0f}/s; p50 "
              f"{row['p50_us'] / 1000:.2f} ms, p99 {row['p99_us'] / 1000:.2f} ms, p99.9 {p999:.2f} ms, {p999 / alone:.1f} times the p99.9 without a server")
PY
  done
}

facts() {
  local model memory
  model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
  memory=$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)
  cat <<EOF
# Performance on a disk

Written by \`tests/bench/disk.sh\`; do not edit. The server is a release build with the default
stores; \`nfsbench\` generates the load.

- Machine: $(nproc) cores ($model), $memory GiB, Linux $(uname -r | cut -d- -f1)
- Date: $(date -u +%F); commit: $(git -C "$root" rev-parse --short HEAD); load average before: $(cut -d' ' -f1-3 /proc/loadavg)

EOF
}

{
  facts
  sustained
  full_journal
  latencies
} >"$work/report"
cat "$work/report"
mv "$work/report" "$output"
