#!/usr/bin/env bash
# Files of 64 MiB to 2 GiB, written in several ways, killed and read back cold: 50 on a folder and 20 on S3.
# Builds the server for release. Takes tens of minutes and 8 GiB of disk.
# Usage: tests/sizes/run.sh [OPTION...]   see `dittofs-sizes --help`
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --release --locked -p dittofs -p dittofs-tests --bin dittofs --bin dittofs-sizes
target/release/dittofs-sizes --program "$PWD/target/release/dittofs" --store folder --files 50 "$@"
target/release/dittofs-sizes --program "$PWD/target/release/dittofs" --store s3 --files 20 "$@"
