# shellcheck shell=bash disable=SC2034,SC2094
# Sourced by tests/kernel/run.sh and tests/bench/nfs.sh: starts and stops the NFS servers under
# test, each on its own port of a private loopback, so that ports and rpcbind clash with nothing.
#
#   enter_private_network "$@"       re-runs the calling script in namespaces of its own
#   server_start NAME DIR            dittofs | dittofs-local (redb and folder) | ganesha-vfs | ganesha-disk | ganesha-mem | limit; files go to DIR
#                                    sets SERVER_PID, SERVER_PORT, SERVER_MOUNTPORT, SERVER_EXPORT
#   server_stop PID SECONDS          SIGTERM, then SIGKILL; fails when SIGTERM was not enough
#
# Environment: SERVER_BIN, BEFORE_BIN, SERVER_CONFIG, NFSBENCH_BIN.

servers_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

enter_private_network() {
  [ -z "${PRIVATE_NETWORK:-}" ] || return 0
  [ "$(id -u)" = 0 ] || { echo "$0: must be root" >&2; exit 2; }
  export PRIVATE_NETWORK=1
  exec unshare --net --mount --propagation private bash -c \
    'ip link set lo up && mount -t tmpfs run /run && mkdir /run/rpcbind && exec "$@"' - "$0" "$@"
}

# Waits until PORT of the loopback takes connections, or the server PID has ended.
wait_for_port() { # PORT PID LOG
  local i
  for i in $(seq 300); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return 0; fi
    kill -0 "$2" 2>/dev/null || break
    sleep 0.1
  done
  echo "no server on port $1; the end of its log:" >&2
  tail -n 20 "$3" >&2
  return 1
}

start_rpcbind() {
  [ -z "${RPCBIND_PID:-}" ] || return 0
  rpcbind -f >"$1/rpcbind.log" 2>&1 9>&- &
  RPCBIND_PID=$!
  wait_for_port 111 "$RPCBIND_PID" "$1/rpcbind.log"
}

ganesha_config() { # FSAL DIR NFS_PORT MOUNT_PORT
  cat <<CONF
NFS_CORE_PARAM {
  NFS_Protocols = 3; NFS_Port = $3; MNT_Port = $4;
  Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false; mount_path_pseudo = true;
}
NFSV4 { RecoveryRoot = "$2/recovery"; Graceless = true; }
LOG { Default_Log_Level = EVENT; }
MEM { Inode_Size = 4096; UP_Test_Interval = 0; }
EXPORT {
  Export_Id = 1; Path = "$2/export"; Pseudo = /export; Protocols = 3; Transports = TCP;
  Access_Type = RW; Squash = None; SecType = sys; MaxRead = 1048576; MaxWrite = 1048576;
  FSAL { Name = $1; }
}
CONF
}

start_ganesha() { # FSAL DIR PORT
  SERVER_PORT=$3 SERVER_MOUNTPORT=$(($3 + 1)) SERVER_EXPORT=/export
  mkdir -p "$2/export" "$2/recovery"
  start_rpcbind "$2"
  ganesha_config "$1" "$2" "$SERVER_PORT" "$SERVER_MOUNTPORT" >"$2/ganesha.conf"
  ganesha.nfsd -F -f "$2/ganesha.conf" -L "$2/server.log" -p "$2/pid" </dev/null >>"$2/server.log" 2>&1 9>&- &
  SERVER_PID=$!
  wait_for_port "$SERVER_PORT" "$SERVER_PID" "$2/server.log"
  wait_for_port "$SERVER_MOUNTPORT" "$SERVER_PID" "$2/server.log"
}

start_dittofs() { # DIR PORT
  local bin=${SERVER_BIN:-$servers_root/target/release/dittofs}
  local config=${SERVER_CONFIG:-$servers_root/tests/kernel/memory-share.yaml}
  [ -x "$bin" ] || { echo "no $bin: cargo build --release, or set SERVER_BIN" >&2; return 1; }
  SERVER_PORT=$2 SERVER_MOUNTPORT=$2 SERVER_EXPORT=/export
  if [ ! -e "$1/data" ]; then
    mkdir "$1/data"
    # Root may write to the share's root.
    if grep -q '^ *smb:' "$config"; then
      echo secret | "$bin" user add root --uid 0 --gid 0 --config "$config" --data "$1/data" >>"$1/server.log"
    fi
  fi
  "$bin" serve --config "$config" --data "$1/data" --nfs "127.0.0.1:$2" \
    </dev/null >>"$1/server.log" 2>&1 9>&- &
  SERVER_PID=$!
  wait_for_port "$2" "$SERVER_PID" "$1/server.log"
}

start_limit() { # DIR PORT
  SERVER_PORT=$2 SERVER_MOUNTPORT=$2 SERVER_EXPORT=/
  "$NFSBENCH_BIN" limit-server "$2" </dev/null >"$1/server.log" 2>&1 9>&- &
  SERVER_PID=$!
  wait_for_port "$2" "$SERVER_PID" "$1/server.log"
}

server_start() { # NAME DIR
  mkdir -p "$2"
  chmod 755 "$2"
  case $1 in
    dittofs) start_dittofs "$2" 12049 ;;
    dittofs-before) SERVER_BIN=$BEFORE_BIN start_dittofs "$2" 12649 ;;
    dittofs-local) SERVER_CONFIG=$servers_root/tests/kernel/local-share.yaml start_dittofs "$2" 12449 ;;
    ganesha-vfs) start_ganesha VFS "$2" 12149 ;;
    ganesha-disk) start_ganesha VFS "$2" 12549 ;;
    ganesha-mem) start_ganesha MEM "$2" 12249 ;;
    limit) start_limit "$2" 12349 ;;
    *) echo "no server named $1" >&2; return 2 ;;
  esac
}

server_stop() { # PID SECONDS
  local i rc=0
  kill -TERM "$1" 2>/dev/null || return 1
  for i in $(seq $(($2 * 10))); do
    if ! kill -0 "$1" 2>/dev/null; then
      wait "$1" || rc=$?
      return $rc
    fi
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null
  wait "$1" 2>/dev/null
  return 1
}
