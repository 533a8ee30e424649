#!/bin/bash
# Everyday work on a server by Python's smbprotocol: SMB 2.1, 3.0.2 and 3.1.1, signed and encrypted.
# Usage: tests/smb/everyday.sh
# Environment:
#   SERVER_BIN   default target/release/dittofs
#   VENV         a folder for the Python packages (tests/smb/requirements.txt); default: made anew each time
# Needs python3 with venv. Exit status: 0 when all was as it should be.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
case ${1:-} in -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;; esac
. "$here/served.sh"
port=${SMB_PORT:-12665}
start everyday "$port" "signing: required"
"$python" "$here/everyday.py" "$port" root root-password export
