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
script=$0 name=postgres quick=(--rounds 1 --calls 100 --entries 2000)
. "$(dirname "$0")/rig.bash"
