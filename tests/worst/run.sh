#!/usr/bin/env bash
# What the worst clients do to a neighbour: builds the server and the clients for release, and prints the figures.
# Fails if the neighbour's 99th percentile is above 50 ms, or the server took more than 1 GiB.
# Usage: tests/worst/run.sh [OPTION...]   see `dittofs-worst-clients --help`
set -euo pipefail
cd "$(dirname "$0")/../.."
# A thousand connections.
ulimit -n 8192
cargo build --release --locked -p dittofs -p dittofs-tests --bin dittofs --bin dittofs-worst-clients
exec target/release/dittofs-worst-clients --program target/release/dittofs \
    --configuration tests/worst/one-gib.yaml --p99-ms-max 50 --resident-mib-max 1024 "$@"
