#!/usr/bin/env bash
# Does the time per entry grow with the number of entries? Runs the release build against 1,000,000 files in one
# directory and 200,000 directories, wide and up to 100 deep; see main.rs. Usage: tests/scale/scale.sh [OPTIONS],
# such as --files 20000 --directories 4000. DITTOFS names another program to serve.
set -euo pipefail
cd "$(dirname "$0")/../.."
. .ci/needs
need_rust
cargo build --release -p dittofs-tests --bin dittofs-scale --bin dittofs-under-test </dev/null
target=${CARGO_TARGET_DIR:-target}/release
exec "$target/dittofs-scale" --program "${DITTOFS:-$target/dittofs-under-test}" "$@"
