#!/bin/bash
# Ten million files in PostgreSQL, looked up and listed through a release build; then two million flushes of a hundred
# thousand files, and what the tables grow by. Writes docs/performance-postgres-scale.md.
# Usage: tests/scale/postgres.sh [--quick] [--output FILE] [-- OPTION...]   see `dittofs-postgres-scale --help`
#   --quick   200,000 files and 20,000 flushes: proves that everything works; its figures are rough
# Environment:
#   SERVER_BIN   default target/release/dittofs, which is built first
#   RIG_BIN      default target/release/dittofs-postgres-scale, which is built first
#   TMPDIR       where PostgreSQL keeps its files: 12 GB of room
# Exit status: 0 when every target is met.
set -euo pipefail
script=$0
root=$(cd "$(dirname "$script")/../.." && pwd)
output=$root/docs/performance-postgres-scale.md
command="tests/scale/postgres.sh${*:+ $*}"
sizes=()
while [ $# -gt 0 ]; do
  case $1 in
    --quick) sizes=(--files 200000 --look-ups 500 --flushes 20000 --flushed-files 2000); shift ;;
    --output) output=$(realpath -m "$2"); shift 2 ;;
    --) shift; sizes+=("$@"); break ;;
    -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$script"; exit 0 ;;
    *) echo "postgres.sh: unknown option $1" >&2; exit 2 ;;
  esac
done
[ -n "${SERVER_BIN:-}" ] || (cd "$root" && cargo build --release --locked -p dittofs)
[ -n "${RIG_BIN:-}" ] ||
  (cd "$root" && cargo build --release --locked -p dittofs-tests --bin dittofs-postgres-scale)
pid=
tidy() {
  # PostgreSQL and the server end with it.
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; }
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cores=$(nproc) model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
memory=$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)
commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
"${RIG_BIN:-$root/target/release/dittofs-postgres-scale}" \
  --program "${SERVER_BIN:-$root/target/release/dittofs}" --output "$output" "${sizes[@]}" \
  --fact "Machine: $cores cores ($model), $memory GiB, Linux $(uname -r | cut -d- -f1)" \
  --fact "Command: \`$command\`" \
  --fact "Date: $(date -u +%F); commit: $commit; load average before: $(cut -d' ' -f1-3 /proc/loadavg)" &
pid=$!
rc=0
wait "$pid" || rc=$?
pid=
echo "written: $output"
exit $rc
