#!/bin/bash
# Measures a release build with its metadata in a PostgreSQL server of its own behind a line of 1 ms, beside what the same
# line and database give without it, and writes docs/performance-postgres.md.
# Usage: tests/bench/postgres.sh [--quick] [--output FILE]
#   --quick   one short round: proves that everything works; its figures are rough
# Environment:
#   SERVER_BIN   default target/release/dittofs, which is built first
#   RIG_BIN      default target/release/dittofs-postgres-bench, which is built first
# Exit status: 0 when every target is met.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
output=$root/docs/performance-postgres.md
command="tests/bench/postgres.sh${*:+ $*}"
sizes=()
while [ $# -gt 0 ]; do
  case $1 in
    --quick) sizes=(--rounds 1 --calls 100 --entries 2000); shift ;;
    --output) output=$(realpath -m "$2"); shift 2 ;;
    -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "postgres.sh: unknown option $1" >&2; exit 2 ;;
  esac
done
[ -n "${SERVER_BIN:-}" ] || (cd "$root" && cargo build --release -p dittofs)
[ -n "${RIG_BIN:-}" ] || (cd "$root" && cargo build --release -p dittofs-tests --bin dittofs-postgres-bench)
# Nobody else measures in between.
exec 9>"${TMPDIR:-/tmp}/measure.lock"
flock 9
cores=$(nproc) model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
memory=$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)
commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
"${RIG_BIN:-$root/target/release/dittofs-postgres-bench}" --program "${SERVER_BIN:-$root/target/release/dittofs}" \
  --output "$output" "${sizes[@]}" \
  --fact "Machine: $cores cores ($model), $memory GiB, Linux $(uname -r | cut -d- -f1)" \
  --fact "Command: \`$command\`" \
  --fact "Date: $(date -u +%F); commit: $commit; load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
echo "written: $output"
