#!/usr/bin/env bash
# Runs what speaks to content behind a network against gcp-storage-emulator: the suite of content stores, the reference
# model, and kills of the program behind a network that loses answers.
# Usage: tests/emulators/google.sh [--long] [FILTER...], as cargo nextest takes it. --long: 200 kills, 40 sequences.
# Environment: GCP_STORAGE_EMULATOR, the program, with its Python beside it; it is installed by pip under
# ~/.cache/dittofs-emulators otherwise.
# KILLS and MODEL_DISK_SEQUENCES say how much; EMULATOR_PORT where: the emulator itself is at the next port, and
# google.py before it, which answers as Google does where the emulator does not.
set -euo pipefail
# shellcheck source=tests/emulators/suites.sh
. "$(dirname "$0")/suites.sh"
prepare "$@"
need_package python3 python3
program=${GCP_STORAGE_EMULATOR:-$kept/python/bin/gcp-storage-emulator}
if [ ! -x "$program" ]; then
  python3 -m venv "$kept/python" 2>/dev/null || { need_package python3-venv python3-venv; python3 -m venv "$kept/python"; }
  "$kept/python/bin/pip" install --quiet gcp-storage-emulator==2026.7.19
fi
bucket=$(constant BUCKET s3) behind=$((port + 1))
# With every change the emulator writes anew all that it knows, though it is in memory only: of thousands of objects
# that takes most of the time.
"$(dirname "$program")/python3" - start --host=127.0.0.1 --port="$behind" --in-memory --default-bucket="$bucket" \
  >"$work/log" 2>&1 <<'PYTHON' &
from gcp_storage_emulator import __main__, storage
storage.Storage._write_config_to_file = lambda self: None
__main__.main()
PYTHON
emulator=$!
wait_for_emulator "$behind"
python3 tests/emulators/google.py "$port" "$behind" "$bucket" 2>>"$work/log" &
front=$!
wait_for_emulator
run_suites gcs
