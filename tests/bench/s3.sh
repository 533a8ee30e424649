#!/bin/bash
# Measures a release build with its content in an S3 server behind a proxy that delays each request by 20 ms, against the
# rate of the same store through the same proxy without the server, and writes docs/performance-s3.md.
# Usage: tests/bench/s3.sh [--quick] [--output FILE]
#   --quick   one short round: proves that everything works; its figures are rough
# Environment:
#   SERVER_BIN   default target/release/dittofs, which is built first
#   RIG_BIN      default target/release/dittofs-s3-bench, which is built first
# Exit status: 0 when every target is met.
set -euo pipefail
script=$0 name=s3 quick=(--rounds 1 --reads 1000 --files 2000)
. "$(dirname "$0")/rig.bash"
