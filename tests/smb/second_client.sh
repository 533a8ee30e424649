#!/bin/bash
# Everyday work on a server by the crate `smb`, in every dialect, signed and encrypted.
# Usage: tests/smb/second_client.sh
# Environment:
#   SERVER_BIN   default target/release/dittofs
# Needs python3 with venv. Builds about two hundred crates. Exit status: 0 when all was as it should be.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
case ${1:-} in -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;; esac
target=${CARGO_TARGET_DIR:-$root/target}/second-client
cargo build -q --manifest-path "$here/second-client/Cargo.toml" --target-dir "$target"
. "$here/served.sh"
port=${SMB_PORT:-12675}
start second "$port" "signing: required"
"$target/debug/second-client" "127.0.0.1:$port" export root root-password
