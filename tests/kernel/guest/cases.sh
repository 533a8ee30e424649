#!/bin/bash
# In the guest: runs each named case in a shell of its own, on a fresh mount.
# A case finds its mount at $DIR, a scratch folder outside of it at $SCRATCH, and these variables:
# SERVER_NAME PORT MOUNTPORT EXPORT MATERIAL SHORT RESTARTS SUITE RESULTS. The line `# mount: none` in a case's head
# leaves mounting to it (mount_share [SUBFOLDER [OPTIONS]], mount_smb DIR OPTIONS). CASE@OPTIONS mounts by SMB; the case
# finds its options at $SMB.
set -u
here=$(cd "$(dirname "$0")" && pwd)
export DIR=/mnt/nfs SCRATCH=/run/scratch CASES=$here
mkdir -p "$DIR"
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd

mount_share() { # [SUBFOLDER [OPTIONS]]
  case $SERVER_NAME in ganesha*) set -- "${1:-}" "noacl${2:+,$2}" ;; esac   # its NFSACL fails cp -p
  mount-nfs 3 "$PORT" "$EXPORT${1:-}" "$DIR" "mountport=$MOUNTPORT${2:+,$2}"
}
mount_smb() { # DIR OPTIONS
  mount-smb 12445 "${EXPORT#/}" "$1" root secret "$2"
}
step() { echo "  $(cut -d' ' -f1 /proc/uptime) $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
ask() { # restart | kill: the server, by who runs it
  rm -f "$RESULTS/answer"
  echo "$1" >"$RESULTS/ask.new"
  mv "$RESULTS/ask.new" "$RESULTS/ask"
  local i
  for i in $(seq 600); do
    [ ! -e "$RESULTS/answer" ] || break
    sleep 0.1
  done
  [ "$(cat "$RESULTS/answer")" = done ] || fail "$1: the server is not there again"
}
sums() { (cd "$1" && find . -type f ! -path './.git/*' -print0 | sort -z | xargs -0 sha256sum); }
git_work() { # OPTIONS of the clone
  step "git clone, status, commit, gc, fsck"
  export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
  git clone -q --no-hardlinks "$@" "$MATERIAL/bare.git" "$DIR/clone"
  cd "$DIR/clone"
  [ -z "$(git status --porcelain)" ] || fail "git status is not clean"
  git config user.name guest && git config user.email guest@localhost
  echo more >>build/CHANGES
  git rm -q --cached build/Makefile
  git add -A
  git mv build/words.c build/renamed.c
  git commit -q -m "a change"
  git gc -q
  git fsck --full --strict
  [ -z "$(git status --porcelain)" ] || fail "git status is not clean after a commit"
  cd /
}
export -f mount_share mount_smb step fail ask sums git_work

one() { # CASE[@OPTIONS]
  local rc=0
  export SMB=
  case $1 in *@*) SMB=${1#*@}; set -- "${1%%@*}" ;; esac
  mkdir -p "$SCRATCH"
  mount -t tmpfs -o size=75% scratch "$SCRATCH"
  if [ -n "$SMB" ]; then mount_smb "$DIR" "$SMB" || return 1
  elif ! grep -q '^# mount: none$' "$here/$1.sh"; then mount_share || return 1
  fi
  (cd /; timeout -k 5 "${CASE_TIMEOUT:-600}" bash -euE -o pipefail -c '
    trap "echo \"line \$LINENO: \$BASH_COMMAND\"" ERR
    . "$1"' - "$here/$1.sh") || rc=$?
  if mountpoint -q "$DIR"; then
    umount "$DIR" || { umount -l "$DIR"; rc=1; echo "$1: $DIR stayed busy" >&2; }
  fi
  umount -l "$SCRATCH"
  if [ $rc != 0 ] && mount_share; then     # the next case finds the share empty
    find "$DIR" -mindepth 1 -delete
    umount -l "$DIR"
  fi
  return $rc
}

failed=()
for c; do
  start=$(date +%s)
  one "$c" >"$RESULTS/$c.log" 2>&1
  rc=$?
  took=$(($(date +%s) - start))
  if [ $rc = 0 ]; then
    echo "ok     $c (${took} s)"
    sed -n 's/^figure */       /p' "$RESULTS/$c.log"
  else
    echo "FAILED $c (${took} s, status $rc)"
    tail -n 30 "$RESULTS/$c.log" | sed 's/^/       /'
    failed+=("$c")
  fi
done
dmesg 2>/dev/null | grep -E 'nfs: server .* not responding|CIFS: .* has not responded|BUG:|Oops' && failed+=(kernel-log)
[ ${#failed[@]} = 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
