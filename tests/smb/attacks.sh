#!/bin/bash
# Attacks a server by SMB: wrong and replayed logons, altered messages, exhaustion of all that is bounded, guesses of
# others' files. Each attack must have the outcome that it names, and clients beside them must be served all the time.
# Usage: tests/smb/attacks.sh [NAME...]
#   NAME   part of the name of an attack or of its file in tests/smb/attacks (default: all)
# Environment:
#   SERVER_BIN   default target/release/dittofs
#   VENV         a folder for the Python packages (tests/smb/requirements.txt); default: made anew each time
#   TRACE        where set, prints where an attack failed
#   KEEP_LOG     a folder that the servers' logs are copied to
# Needs python3 with venv. Exit status: 0 when all attacks ended as they should.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
case ${1:-} in -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;; esac
. "$here/served.sh"
# Thousands of connections, on both sides.
ulimit -n "$(ulimit -Hn)"

port=${SMB_PORT:-12655}
start open "$port" "signing: optional"
start sealed "$((port + 2))" "encryption: required"
"$python" "$here/attacks/run.py" --port "$port" --sealed-port "$((port + 2))" --nfs-port "$((port + 1))" \
  --pid "${servers[0]}" --log "$work/open.log" --work "$work" "$@"
