# shellcheck shell=bash disable=SC2154,SC2164
# `cp -p`, `tar` and `rsync -a` write first and set times afterwards: the times stay over a flush, over a clean restart of
# the server and over kill -9, all while the share is mounted.
files=60
[ -z "$SHORT" ] || files=12
python3 -S - "$SCRATCH/source" "$files" <<'PY'
import os, sys
root, files = sys.argv[1], int(sys.argv[2])
for number in range(files):
    folder = f"{root}/folder-{number % 5}"
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/file-{number}"
    with open(path, "wb") as f:
        f.write(os.urandom((number * number * 97) % 300_000))
    os.chmod(path, 0o600 | number % 8)
    os.utime(path, ns=(1_000_000_000_123_456_789 + number, 1_100_000_000_987_654_321 + number * 1_000_000_007))
os.symlink("folder-1/file-1", root + "/link")
for folder in [f"{root}/folder-{number}" for number in range(5)] + [root]:
    os.utime(folder, ns=(1_000_000_000_000_000_001, 1_200_000_000_000_000_003))
PY

seen() { (cd "$1" && find . ! -type l -printf '%p %y %m %T@ ' \( -type f -printf '%s\n' -o -printf '\n' \) | sort); }

copies=()
copy() { # NAME
  cp -a "$SCRATCH/source" "$DIR/$1-cp"
  mkdir "$DIR/$1-tar"
  tar -C "$SCRATCH/source" --format=posix -cf - . | tar -C "$DIR/$1-tar" -xpf -
  copies+=("$1-cp" "$1-tar")
  if type rsync >/dev/null 2>&1; then
    rsync -a "$SCRATCH/source/" "$DIR/$1-rsync/"
    copies+=("$1-rsync")
  else
    echo "no rsync on this machine"
  fi
}

same() { # WHEN
  echo 3 >/proc/sys/vm/drop_caches
  local copy
  for copy in "${copies[@]}"; do
    diff <(seen "$SCRATCH/source") <(seen "$DIR/$copy") || fail "$copy, $1: times, modes or sizes are others"
    diff -r "$SCRATCH/source" "$DIR/$copy" || fail "$copy, $1: contents are others"
  done
  step "the same $1"
}

copy first
same "at once"
if [ -z "$SHORT" ]; then
  sleep 7
  same "after the flush"
fi
if [ -n "$RESTARTS" ]; then
  if [ -z "$SHORT" ]; then
    ask restart
    same "after a clean restart"
  fi
  copy second
  ask kill
  same "after kill -9"
  if [ -z "$SHORT" ]; then
    # The client waits for the server, and sends again what was not committed.
    copy third &
    copying=$!
    sleep 1
    ask kill
    wait "$copying"
    copies+=(third-cp third-tar)
    same "after kill -9 in the midst of copying"
    sleep 7
    same "after that flush"
  fi
fi
rm -r "${DIR:?}"/*-cp "${DIR:?}"/*-tar
rm -rf "${DIR:?}"/*-rsync
