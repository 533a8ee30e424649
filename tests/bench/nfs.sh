#!/bin/bash
# Measures our release build on a memory share against nfs-ganesha (its VFS and its memory back end)
# and nfsbench's limit-server, in turns within one run, and writes docs/performance.md.
# Usage: tests/bench/nfs.sh [--quick] [--bar] [--output FILE]
#   --quick   one short round: proves that everything works; its figures are rough
#   --bar     only the workloads and depths that docs/performance.md has a target for
#   --local   the default share (redb, journal, folder) on the disk of TMPDIR, against Ganesha there; writes
#             docs/performance-local.md
#   --before BIN   compares with an earlier program instead, in turns: medians of 9 rounds; writes
#             docs/performance-before.md, and fails if a call costs more than 1.05 of the CPU time, or a rate is below 0.90
# Environment:
#   SERVERS       default "dittofs ganesha-vfs ganesha-mem limit"; any of them
#   WORKLOADS     default: all of nfsbench's
#   ROUNDS SECS   turns of each server (3), seconds of a timed workload (2)
#   FILES SIZE    files of a metadata workload (10000), MiB of the data file (256)
#   NFSBENCH_DIR  nfsbench's sources, default ../shared/nfsbench beside the project
#   SERVER_BIN   default target/release/dittofs, which is built first
#   SERVER_CONFIG  default tests/kernel/memory-share.yaml
# Root only (real-time priority, a private network). tests/bench/setup.sh installs what it needs.
# Exit status: 0 when no workload failed on dittofs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/kernel/servers.sh
. "$here/../kernel/servers.sh"

servers=${SERVERS:-dittofs ganesha-vfs ganesha-mem limit}
sources=${NFSBENCH_DIR:-$root/../shared/nfsbench}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dittofs-bench
output=$root/docs/performance.md
rounds=${ROUNDS:-3} secs=${SECS:-2} files=${FILES:-10000} size=${SIZE:-256}
depths=() report=()
data_workloads=(seqwrite seqread randread randwrite)
workloads=${WORKLOADS:-null,getattr,lookup,seqwrite,seqread,randread,randwrite,meta,smallfile,mkdir}
command="tests/bench/nfs.sh${*:+ $*}"
args=("$@")
while [ $# -gt 0 ]; do
  case $1 in
    --quick) rounds=1 secs=0.5 files=2000 size=64; shift ;;
    --bar) workloads=getattr,lookup,seqread,randread,meta depths=(--depth 64 --conc "8,32"); shift ;;
    --local)
      servers=${SERVERS:-dittofs-local dittofs ganesha-disk limit} output=$root/docs/performance-local.md report=(--local)
      workloads=${WORKLOADS:-getattr,seqwrite,seqread,randread,randwrite,meta,smallfile} rounds=${ROUNDS:-5} size=${SIZE:-1024}
      depths=(--depth 64 --conc 32 --syncdepth 16); shift ;;
    --before)
      export BEFORE_BIN
      BEFORE_BIN=$(realpath "$2")
      servers="dittofs-before dittofs" rounds=${ROUNDS:-9} output=$root/docs/performance-before.md report=(--before); shift 2 ;;
    --output) output=$(realpath -m "$2"); shift 2 ;;
    -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "nfs.sh: unknown option $1" >&2; exit 2 ;;
  esac
done

# Built before the private network, in which cargo could not fetch anything. The copy is there
# because the sources may be read-only, and cargo writes a Cargo.lock beside them.
build() {
  mkdir -p "$cache/nfsbench"
  cp -r --no-preserve=mode "$sources/Cargo.toml" "$sources/src" "$cache/nfsbench/"
  CARGO_TARGET_DIR=$cache/nfsbench/target cargo build -q --release --manifest-path "$cache/nfsbench/Cargo.toml"
  case " $servers" in *" dittofs"*)
    [ -n "${SERVER_BIN:-}" ] || (cd "$root" && cargo build --release -p dittofs) ;;
  esac
}
[ -n "${PRIVATE_NETWORK:-}" ] || build
enter_private_network "${args[@]}"
export NFSBENCH_BIN=$cache/nfsbench/target/release/nfsbench NFSBENCH=$cache/nfsbench/target/release/nfsbench

work=$(mktemp -d "${TMPDIR:-/tmp}/dittofs-bench.XXXXXX")
chmod 755 "$work"
export RESULTS=$work/results
mkdir "$RESULTS"
pids=()
finish() {
  local p
  for p in "${pids[@]}" ${RPCBIND_PID:-}; do kill -TERM "$p" 2>/dev/null || true; done
  for p in "${pids[@]}" ${RPCBIND_PID:-}; do wait "$p" 2>/dev/null || true; done
  ! mountpoint -q "$work/ganesha-vfs/export" || umount -l "$work/ganesha-vfs/export"
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Nobody else measures in between.
exec 9>"${TMPDIR:-/tmp}/measure.lock"
flock 9
export MEASURE_LOCKED=1

# Ganesha's VFS works on a tmpfs: a disk's file system would slow it down up to ten times.
case " $servers " in *" ganesha-vfs "*)
  mkdir -p "$work/ganesha-vfs/export"
  mount -t tmpfs -o mode=755 export "$work/ganesha-vfs/export" ;;
esac

declare -A port mountport export_path pid
for s in $servers; do
  server_start "$s" "$work/$s"
  port[$s]=$SERVER_PORT mountport[$s]=$SERVER_MOUNTPORT export_path[$s]=$SERVER_EXPORT pid[$s]=$SERVER_PID
  pids+=("$SERVER_PID")
done

# The data workloads in LIST, or with "not" all others, as a comma-separated list.
pick() { # data|not
  local w list=()
  for w in ${workloads//,/ }; do
    case " ${data_workloads[*]} " in *" $w "*) [ "$1" = data ] || continue ;; *) [ "$1" = not ] || continue ;; esac
    list+=("$w")
  done
  (IFS=,; echo "${list[*]}")
}

measure() { # SERVER WORKLOADS [OPTION...]
  local s=$1 chosen=$2
  shift 2
  [ -n "$chosen" ] || return 0
  "$sources/measure.sh" "$s" "${port[$s]}" "${mountport[$s]}" "${export_path[$s]}" "${pid[$s]}" \
    --workload "$chosen" --repeat 1 --secs "$secs" --files "$files" --size "$size" "${depths[@]}" "$@" ||
    echo "$s: a workload failed" >>"$work/failed"
}

load_before=$(cut -d' ' -f1-3 /proc/loadavg)
for round in $(seq "$rounds"); do
  turns=$servers
  # Who comes second finds another state of the machine.
  if [ -n "${BEFORE_BIN:-}" ] && [ $((round % 2)) = 0 ]; then turns="dittofs dittofs-before"; fi
  for s in $turns; do
    echo "## round $round of $rounds: $s"
    case $s in
      limit) measure "$s" "$workloads" --no-check ;;
      # It keeps no file's data beyond 4 KiB and reads the rest as a constant, so they can't be checked.
      ganesha-mem) measure "$s" "$(pick not)"; measure "$s" "$(pick data)" --no-check ;;
      *) measure "$s" "$workloads" ;;
    esac
  done
done
load_after=$(cut -d' ' -f1-3 /proc/loadavg)

commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
ganesha=$(dpkg-query -W -f '${Version}' nfs-ganesha 2>/dev/null || echo none)
# shellcheck disable=SC2086
python3 "$here/report.py" --results "$RESULTS" --notes "$root/docs/performance-notes.md" \
  --fact "Command: \`$command\` (rounds $rounds, $secs s a timed workload, $files files, $size MiB of data)" \
  --fact "Date: $(date -u +%F)" \
  --fact "Commit: $commit; nfs-ganesha $ganesha (Debian)" \
  --fact "Load average before and after: $load_before; $load_after" \
  "${report[@]}" $servers >"$work/performance.md" || echo "dittofs: worse than before" >>"$work/failed"
mkdir -p "$(dirname "$output")"
cp "$work/performance.md" "$output"
echo "written: $output"
if [ -e "$work/failed" ]; then
  sort -u "$work/failed" >&2
  if grep -q '^dittofs' "$work/failed"; then exit 1; fi
fi
