#!/bin/bash
# A real Linux kernel mounts our server (NFSv3, or SMB) and works on it.
# Usage: tests/kernel/run.sh [--short] [--remote [--kills] | --smb] [--engine uml|qemu] [--keep] [CASE...]
#   CASE: check everyday sparse blocks times again pjdfstest fsx nconnect subdir  (default: all, with --short all but
#     blocks)
#     CASE@OPTIONS mounts by SMB with these options of mount.cifs: check fsx smb-everyday smb-locks
#     smb-xattrs
#     both locks: a mount by NFS and one by SMB
#     coherent: one by NFS and two by SMB
#   --short   smaller trees, for CI (all cases in about a minute and a half)
#   --smb     the default cases are those of SMB, in several dialects, signed and encrypted, on a share on disk
#   --remote  a share at the tier remote, over a PostgreSQL and an S3 server of its own (BACKENDS_BIN)
#   --kills   kills that PostgreSQL server every few seconds meanwhile, and says how often
#   --keep    leave the work folder (server's and guest's logs) and print where it is
# Environment:
#   SERVER          dittofs (default) or ganesha-vfs, to tell a server's fault from the rig's
#   SERVER_BIN     default target/release/dittofs
#   SERVER_CONFIG  default memory-share.yaml; local-share.yaml is the same on disk
#   BACKENDS_BIN   default target/release/dittofs-backends
#   KERNEL_CLIENT   the rig, default ../shared/kernel-client beside the project
#   TIMEOUT         seconds for the whole boot, default 900; CASE_TIMEOUT of one case, default 600
#   ROUNDS          of the case again, default 2000; RANDOM_SECONDS of the case coherent, default 60
# Exit status: 0 when every case passed and the server ended cleanly on SIGTERM.
# tests/kernel/setup.sh installs what this needs. All cases run in one boot.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/kernel/servers.sh
. "$here/servers.sh"
enter_private_network "$@"

all_cases=(check everyday sparse blocks times again pjdfstest fsx nconnect subdir)
smb_cases=(both locks coherent check@vers=3.1.1 fsx@vers=3.1.1 smb-everyday@vers=3.1.1 smb-locks@vers=3.1.1
  smb-xattrs@vers=3.1.1 smb-xattrs@vers=2.1
  check@vers=3.1.1,seal fsx@vers=3.1.1,seal smb-everyday@vers=3.1.1,seal smb-locks@vers=3.1.1,seal
  check@vers=2.1 fsx@vers=2.1 smb-everyday@vers=2.1 smb-locks@vers=2.1 check@vers=3.0,sign)
short='' keep='' remote='' kills=() engine=${KERNEL_CLIENT_ENGINE:-uml} cases=()
while [ $# -gt 0 ]; do
  case $1 in
    --short) short=1; shift ;;
    --remote) remote=1; shift ;;
    --smb) export SERVER_CONFIG=$here/smb-share.yaml; all_cases=("${smb_cases[@]}"); shift ;;
    --kills) kills=(--kill-every 3000); shift ;;
    --keep) keep=1; shift ;;
    --engine) engine=$2; shift 2 ;;
    -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    -*) echo "run.sh: unknown option $1" >&2; exit 2 ;;
    *) [ -e "$here/guest/${1%%@*}.sh" ] || { echo "run.sh: no case $1" >&2; exit 2; }
      cases+=("$1"); shift ;;
  esac
done
if [ ${#cases[@]} = 0 ]; then
  for case in "${all_cases[@]}"; do
    # It waits for flushes: only where it is asked for, or in the long form.
    [ -n "$short" ] && [ "$case" = blocks ] || cases+=("$case")
  done
fi
rig=${KERNEL_CLIENT:-$root/../shared/kernel-client}
[ -x "$rig/in-kernel-client.sh" ] || { echo "run.sh: no kernel client in $rig (KERNEL_CLIENT)" >&2; exit 2; }

work=$(mktemp -d "${TMPDIR:-/tmp}/dittofs-kernel.XXXXXX")
chmod 755 "$work"
SERVER_PID='' CLIENT_PID='' BACKENDS_PID=''
finish() {
  [ -z "$CLIENT_PID" ] || kill "$CLIENT_PID" 2>/dev/null || true
  [ -z "$SERVER_PID" ] || server_stop "$SERVER_PID" 15 || true
  [ -z "$BACKENDS_PID" ] || kill "$BACKENDS_PID" 2>/dev/null || true
  [ -z "${RPCBIND_PID:-}" ] || kill "$RPCBIND_PID" 2>/dev/null || true
  if [ -n "$keep" ]; then echo "logs in $work"; else rm -rf "$work"; fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$here/material.sh" "$work/material" ${short:+--short}
if [ -n "$remote" ]; then
  export SERVER_CONFIG=$work/remote.yaml
  # Its input ends with this script.
  mkfifo "$work/backends.in"
  "${BACKENDS_BIN:-$root/target/release/dittofs-backends}" --config "$SERVER_CONFIG" "${kills[@]}" \
    <"$work/backends.in" >"$work/backends.out" 2>&1 &
  BACKENDS_PID=$!
  exec 8>"$work/backends.in"
  for _ in $(seq 300); do
    ! grep -q ready "$work/backends.out" || break
    kill -0 "$BACKENDS_PID" 2>/dev/null || { cat "$work/backends.out" >&2; exit 1; }
    sleep 0.1
  done
fi
server_start "${SERVER:-dittofs}" "$work/server"

preload=
if [ "$engine" = uml ] && grep -qw amx_tile /proc/cpuinfo; then
  preload=$work/uml-xstate.so
  cc -O2 -shared -fPIC -o "$preload" "$here/uml-xstate.c"
fi

# A server with files on disk may be ended and started again in the midst of a case.
RESTARTS=
if [ "${SERVER:-dittofs}" = dittofs ] && ! grep -q 'type: memory' "${SERVER_CONFIG:-$here/memory-share.yaml}"; then
  RESTARTS=1
fi
answer_case() {
  [ -e "$work/results/ask" ] || return 0
  local what done=done
  what=$(cat "$work/results/ask")
  rm "$work/results/ask"
  if [ "$what" = kill ]; then
    kill -KILL "$SERVER_PID"
    wait "$SERVER_PID" 2>/dev/null || true
  else
    server_stop "$SERVER_PID" 15 || done='no clean end'
  fi
  server_start "${SERVER:-dittofs}" "$work/server" || done='no start'
  echo "$done" >"$work/results/answer.new"
  mv "$work/results/answer.new" "$work/results/answer"
}

rc=0
LD_PRELOAD=$preload "$rig/in-kernel-client.sh" --engine "$engine" --timeout "${TIMEOUT:-900}" --results "$work/results" \
  --env "SERVER_NAME=${SERVER:-dittofs}" --env "PORT=$SERVER_PORT" --env "MOUNTPORT=$SERVER_MOUNTPORT" --env "EXPORT=$SERVER_EXPORT" \
  --env "MATERIAL=$work/material" --env "SHORT=$short" --env "RESTARTS=$RESTARTS" --env "SUITE=$rig/suites/suite.sh" \
  --env "ROUNDS=${ROUNDS:-2000}" --env "CASE_TIMEOUT=${CASE_TIMEOUT:-600}" --env "RANDOM_SECONDS=${RANDOM_SECONDS:-60}" \
  --env "SUITES=${SUITES:-$HOME/.cache/kernel-client-suites}" \
  -- bash "$here/guest/cases.sh" "${cases[@]}" &
CLIENT_PID=$!
while kill -0 "$CLIENT_PID" 2>/dev/null; do
  answer_case
  sleep 0.1
done
wait "$CLIENT_PID" || rc=$?
CLIENT_PID=

[ $rc = 0 ] || { echo "--- end of the server's log"; tail -n 40 "$work/server/server.log"; } >&2
pid=$SERVER_PID
SERVER_PID=
if ! kill -0 "$pid" 2>/dev/null; then
  echo "FAILED server: it ended during the cases" >&2; rc=1
elif ! server_stop "$pid" 15; then
  echo "FAILED server: no clean end on SIGTERM; the end of its log:" >&2; tail -n 20 "$work/server/server.log" >&2; rc=1
fi
if [ -n "$BACKENDS_PID" ]; then
  exec 8>&-
  wait "$BACKENDS_PID" || rc=1
  BACKENDS_PID=
  tail -n 1 "$work/backends.out"
fi
exit $rc
