#!/usr/bin/env bash
# What the worst clients do to a neighbour: builds the server and the clients for release, and prints the figures. The
# server runs in a control group of 1 GiB, which ends it if it needs more; root makes one.
# Fails if the neighbour's 99th percentile is above 50 ms, or the server did not survive.
# Usage: tests/worst/run.sh [OPTION...]   see `dittofs-worst-clients --help`
set -euo pipefail
cd "$(dirname "$0")/../.."
# A thousand connections.
ulimit -n 8192
cargo build --release --locked -p dittofs -p dittofs-tests --bin dittofs --bin dittofs-worst-clients

folder=$(mktemp -d)
group=
tidy() {
  rm -rf "$folder"
  # Fails while the last of its processes ends.
  [ -z "$group" ] || rmdir "$group" || { sleep 1; rmdir "$group"; }
}
trap tidy EXIT

# The memory controller of version 1 or 2.
groups=/sys/fs/cgroup limit=memory.max
[ -d "$groups/memory" ] && groups=$groups/memory limit=memory.limit_in_bytes
mkdir "$groups/dittofs-worst-$$"
group=$groups/dittofs-worst-$$
echo $((1 << 30)) >"$group/$limit"
cat >"$folder/server" <<SERVER
#!/bin/sh
echo \$\$ >$group/cgroup.procs
exec $PWD/target/release/dittofs "\$@"
SERVER
chmod +x "$folder/server"
target/release/dittofs-worst-clients --program "$folder/server" \
    --configuration tests/worst/one-gib.yaml --p99-ms-max 50 --anonymous-mib-max 1024 "$@"
