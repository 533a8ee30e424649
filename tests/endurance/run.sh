#!/bin/bash
# Three shares and 100 clients for an hour on a server in a control group of 512 MiB and half a core, as a small pod
# has it: metadata in PostgreSQL and content in S3 at the tier remote, PostgreSQL and a folder, redb and a folder. The
# clients create, write, read back and compare, list, rename and remove. PostgreSQL, S3 and the clients are outside of
# the group.
# Usage: tests/endurance/run.sh [OPTION...]   see `dittofs-endurance --help`
# Environment:
#   SECONDS_MAX    how long the clients work, default 3600
#   SERVER_BIN     default target/release/dittofs, which is built first
#   CLIENTS_BIN    default target/release/dittofs-endurance, which is built first
#   MEMORY         bytes of the control group, default 536870912
#   CPU_PERCENT    of one core, default 50
# Exit status: 0 when nothing failed, all was read as it was written, the server stopped cleanly, and its check is
# clean. Root makes the control group, of version 1 or 2.
set -euo pipefail
case ${1:-} in
  -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac
root=$(cd "$(dirname "$0")/../.." && pwd)
[ -n "${SERVER_BIN:-}" ] || (cd "$root" && cargo build --release --locked -p dittofs)
[ -n "${CLIENTS_BIN:-}" ] || (cd "$root" && cargo build --release --locked -p dittofs-tests --bin dittofs-endurance)
server=$(realpath "${SERVER_BIN:-$root/target/release/dittofs}")
clients=$(realpath "${CLIENTS_BIN:-$root/target/release/dittofs-endurance}")
memory=${MEMORY:-$((512 << 20))} percent=${CPU_PERCENT:-50}
ulimit -n 8192

folder=$(mktemp -d "${TMPDIR:-/tmp}/dittofs-endurance.XXXXXX")
groups=() pid=
tidy() {
  # It ends the server, which is in the groups, with itself.
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  for group in "${groups[@]}"; do
    # Whoever is still in it: the server's parent was killed.
    while read -r process; do kill -KILL "$process" 2>/dev/null || true; done <"$group/cgroup.procs"
    # Fails while the last of its processes ends.
    rmdir "$group" || { sleep 1; rmdir "$group"; }
  done
  rm -rf "$folder"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

make_group() { # FOLDER FILE VALUE [FILE VALUE...]
  local group=$1/dittofs-endurance-$$
  mkdir "$group"
  groups+=("$group")
  shift
  while [ $# -gt 0 ]; do
    echo "$2" >"$group/$1"
    shift 2
  done
}
base=/sys/fs/cgroup
if [ -e "$base/cgroup.controllers" ]; then
  make_group "$base" memory.max "$memory" cpu.max "$((percent * 1000)) 100000"
else
  make_group "$base/memory" memory.limit_in_bytes "$memory"
  make_group "$base/cpu" cpu.cfs_period_us 100000 cpu.cfs_quota_us "$((percent * 1000))"
fi
{
  echo '#!/bin/sh'
  for group in "${groups[@]}"; do echo "echo \$\$ >$group/cgroup.procs"; done
  echo "exec $server \"\$@\""
} >"$folder/server"
chmod +x "$folder/server"

TMPDIR=${TMPDIR:-/tmp} "$clients" --program "$folder/server" --group "${groups[0]}" \
  --seconds "${SECONDS_MAX:-3600}" "$@" &
pid=$!
rc=0
wait "$pid" || rc=$?
pid=
exit $rc
