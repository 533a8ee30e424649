#!/usr/bin/env bash
# Runs what speaks to content behind a network against gcp-storage-emulator: the suite of content stores, the reference
# model, and kills of the program behind a network that loses answers.
# Usage: tests/emulators/google.sh [--long] [FILTER...], as cargo nextest takes it. --long: 200 kills, 40 sequences.
# Environment: GCP_STORAGE_EMULATOR, the program; it is installed by pip under ~/.cache/dittofs-emulators otherwise.
# KILLS and MODEL_DISK_SEQUENCES say how much; EMULATOR_PORT where.
set -euo pipefail
# shellcheck source=tests/emulators/suites.sh
. "$(dirname "$0")/suites.sh"
prepare "$@"
program=${GCP_STORAGE_EMULATOR:-$kept/python/bin/gcp-storage-emulator}
if [ ! -x "$program" ]; then
  need_package python3 python3
  python3 -m venv "$kept/python" 2>/dev/null || { need_package python3-venv python3-venv; python3 -m venv "$kept/python"; }
  "$kept/python/bin/pip" install --quiet gcp-storage-emulator==2026.7.19
fi
"$program" start --host=127.0.0.1 --port="$port" --in-memory --default-bucket="$(constant BUCKET s3)" >"$work/log" 2>&1 &
emulator=$!
wait_for_emulator
# The emulator answers a range behind the end by one that ends before it begins, and takes no uploads in parts.
run_suites gcs a_range_beyond_the_end_is_not_found an_object_of_64_mib_in_many_parts_reads_back
