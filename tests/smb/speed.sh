#!/bin/bash
# Compares the server with Samba's smbd, a private one on the loopback: rates, and CPU time of the server.
# Usage: tests/smb/speed.sh [--quick]
#   --quick   a small file and one round: proves that everything works; its figures are rough
# Environment:
#   SERVERS      default "dittofs samba"; any of them
#   SERVER_BIN   default target/release/dittofs, which is built first; a debug build tells nothing
#   ROUNDS       of get and put of a file (3); the best wall time and the least CPU time count
#   MIB          of that file (512)
#   FILES        of a directory (10000)
#   NFSBENCH_DIR sources of nfsbench: 4 KiB of a file of the same size by NFSv3 as well, from the same server
#   TMPDIR       both servers keep their files there
# Needs Debian's samba, samba-vfs-modules and smbclient, and root, as whom both servers let their one user act.
# The file lies in memory; get writes to /dev/null. Wall time has the client's start and logon in it.
# A virtual machine may get memory from its host only when a page is touched for the first time, and pay for that with
# ten times the price of a copy. So all memory is made the page cache's before each transfer: who needs a page then
# takes one that the machine has.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
servers=${SERVERS:-dittofs samba} rounds=${ROUNDS:-3} mib=${MIB:-512} files=${FILES:-10000}
while [ $# -gt 0 ]; do
  case $1 in
    --quick) rounds=1 mib=32 files=1000; shift ;;
    -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "speed.sh: unknown option $1" >&2; exit 2 ;;
  esac
done
[ "$(id -u)" = 0 ] || { echo "speed.sh: root only" >&2; exit 2; }
for program in smbd smbclient; do
  command -v $program >/dev/null || { echo "speed.sh: install samba and smbclient" >&2; exit 2; }
done
program=${SERVER_BIN:-$root/target/release/dittofs}
cd "$root"
[ -n "${SERVER_BIN:-}" ] || cargo build -q --release -p dittofs
# The client's libraries are optimized in a debug build, too.
cargo build -q --workspace --example smb_rate
rate=${CARGO_TARGET_DIR:-$root/target}/debug/examples/smb_rate
nfsbench=''
if [ -n "${NFSBENCH_DIR:-}" ]; then
  cargo build -q --release --manifest-path "$NFSBENCH_DIR/Cargo.toml" --target-dir "$root/target/nfsbench"
  nfsbench=$root/target/nfsbench/release/nfsbench
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/dittofs-speed.XXXXXX")
source=$(mktemp /dev/shm/dittofs-speed.XXXXXX)
user=root password=secret server=''
finish() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$work" "$source"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
head -c $((mib << 20)) /dev/urandom >"$source"

start_dittofs() {
  port=${SMB_PORT:-12745} nfs_port=${NFS_PORT:-12747}
  cat >"$work/dittofs.yaml" <<CONFIG
metadata: { stores: { m: { type: redb, redb: { path: metadata } } } }
content: { stores: { c: { type: fs, fs: { path: content } } } }
journal: { path: journal, size: 4GiB }
shares: [{ name: /share, metadata_store: m, content_store: c, squash: none }]
adapters: { smb: { listen: "127.0.0.1:$port", signing: optional } }
CONFIG
  local here=(--config "$work/dittofs.yaml" --data "$work/data")
  echo "$password" | "$program" user add $user --uid 0 --gid 0 "${here[@]}" >/dev/null
  "$program" serve "${here[@]}" --nfs 127.0.0.1:$nfs_port >"$work/out" 2>"$work/log" &
  server=$!
}

start_samba() {
  port=${SAMBA_PORT:-12746}
  mkdir -p "$work"/samba/{share,lock,state,cache,private,pid,rpc,bind}
  cat >"$work/smb.conf" <<CONFIG
[global]
  server role = standalone server
  interfaces = lo
  bind interfaces only = yes
  smb ports = $port
  disable netbios = yes
  lock directory = $work/samba/lock
  state directory = $work/samba/state
  cache directory = $work/samba/cache
  private dir = $work/samba/private
  pid directory = $work/samba/pid
  ncalrpc dir = $work/samba/rpc
  binddns dir = $work/samba/bind
  log file = $work/samba/log
  passdb backend = tdbsam
  load printers = no
  printcap name = /dev/null
  disable spoolss = yes
  server min protocol = SMB2_02
  server signing = auto
  kernel oplocks = no
  kernel share modes = no
  posix locking = no
  ea support = yes
  store dos attributes = yes
  map archive = no
  vfs objects = acl_xattr streams_xattr
[share]
  path = $work/samba/share
  read only = no
CONFIG
  printf '%s\n%s\n' "$password" "$password" | pdbedit -s "$work/smb.conf" -a -t -u $user >/dev/null
  # A group of its own, which it signals when it ends.
  setsid smbd --foreground --no-process-group -s "$work/smb.conf" >"$work/out" 2>&1 </dev/null &
  server=$!
}

client() { timeout 600 smbclient //127.0.0.1/share -p "$port" -U "$user%$password" --configfile=/dev/null "$@"; }

# CPU ticks of the server and of the processes below it, also of those that have ended.
ticks() {
  local sum=0 process fields
  for process in $(below "$server"); do
    fields=$(sed 's/^.*) //' "/proc/$process/stat" 2>/dev/null) || continue
    set -- $fields
    sum=$((sum + ${12} + ${13} + ${14} + ${15}))
  done
  echo $sum
}
below() {
  echo "$1"
  local child
  for child in $(pgrep -P "$1" || true); do below "$child"; done
}
# Until nothing of the last transfer is written any more.
settle() {
  local before
  for _ in $(seq 60); do
    before=$(ticks)
    sleep 0.25
    [ "$(ticks)" != "$before" ] || return 0
  done
}

# Fills free memory with pages of a file that takes no room on its disk.
warm() {
  local free
  free=$(awk '/^MemFree:/ {print $2}' /proc/meminfo)K
  truncate -s "+$free" "$work/sparse"
  tail -c "$free" "$work/sparse" >/dev/null
}

# transfer PROTECTION put|get: a line with the best of all rounds.
transfer() {
  local command="put $source file" best=0 least=0 soonest=0 began cpu wall answered
  [ "$2" = put ] || command="get file /dev/null"
  for _ in $(seq "$rounds"); do
    settle
    warm
    cpu=$(ticks) began=$(date +%s%N)
    client --client-protection="$1" -c "$command" >"$work/client" 2>&1 ||
      { echo "speed.sh: $name: $1 $2: $(tail -1 "$work/client")" >&2; exit 1; }
    wall=$((($(date +%s%N) - began) / 1000000))
    answered=$(($(ticks) - cpu))
    # Some seconds later the server moves to its store what was written: a part of the price.
    [ "$2" = get ] || sleep 8
    settle
    cpu=$(($(ticks) - cpu))
    [ $best != 0 ] && [ $best -le $wall ] || best=$wall
    [ $least != 0 ] && [ $least -le $cpu ] || least=$cpu soonest=$answered
  done
  rm -f "$work/sparse"
  awk -v name="$name" -v what="$2 of $mib MiB, $1" -v ms="$best" -v ticks="$least" -v soonest="$soonest" \
    -v hz="$(getconf CLK_TCK)" -v mib="$mib" \
    'BEGIN { printf "%-8s  %-46s  %9.0f MB/s  %9.2f CPU s, %.2f until the client is done\n",
             name, what, mib * 1048.576 / ms, ticks / hz, soonest / hz }'
}

for name in $servers; do
  "start_$name"
  for _ in $(seq 100); do
    ! client -c quit >/dev/null 2>&1 || break
    sleep 0.1
  done
  client -c quit >/dev/null ||
    { echo "speed.sh: $name does not answer" >&2; cat "$work/out" "$work"/samba/log* >&2; exit 1; }
  for protection in off sign encrypt; do
    transfer $protection put
    transfer $protection get
  done
  client -c 'del file' >/dev/null
  "$rate" "127.0.0.1:$port" share $user $password "$server" "$files" >"$work/rates"
  awk -F'|' -v name="$name" \
    '{ printf "%-8s  %-46s  %9.0f /s    %9.1f CPU us each\n", name, $1 ", " $2 " at once", $3, $4 }' "$work/rates"
  if [ $name = dittofs ] && [ -n "$nfsbench" ]; then
    "$nfsbench" --port "$nfs_port" --mountport "$nfs_port" --export /share --pid "$server" --label nfs --size 64 \
      --secs 1 --workload randread,randwrite --depth 1,32 --syncdepth 1 >"$work/nfs"
    awk '$2 ~ /^[0-9]+$/ && $4 == "op/s" {
      for (i = 1; i <= NF; i++) if ($i ~ /%/) break
      printf "%-8s  %-46s  %9.0f /s    %9.1f CPU us each\n", "nfsv3", $1 ", " $2 " at once", $3, $(i - 1) }' "$work/nfs"
  fi
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=''
done
