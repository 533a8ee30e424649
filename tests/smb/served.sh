# Sourced by the scripts beside: servers on the loopback with users and shares, and Python's packages.
# Sets `work`, a folder that goes when the script ends, and `python`.
# Environment: SERVER_BIN, VENV, KEEP_LOG.
work=$(mktemp -d "${TMPDIR:-/tmp}/dittofs-smb.XXXXXX")
servers=()
finish() {
  for server in "${servers[@]}"; do { kill "$server" && wait "$server"; } 2>/dev/null || true; done
  [ -z "${KEEP_LOG:-}" ] || cp "$work"/*.log "$KEEP_LOG"
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
program=${SERVER_BIN:-$root/target/release/dittofs}
venv=${VENV:-$work/venv}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
python=$venv/bin/python

# start NAME PORT OPTIONS: a server of SMB at this port and of NFS at the next, with users whose passwords are their
# names and `-password`.
start() {
  local name=$1 port=$2 options=$3 uid=1000 user
  mkdir "$work/$name"
  cat >"$work/$name.yaml" <<CONFIG
metadata: { stores: { m: { type: redb, redb: { path: metadata } } } }
content: { stores: { c: { type: fs, fs: { path: content } } } }
journal: { path: journal, size: 512MiB }
shares:
  - { name: /export, metadata_store: m, content_store: c, squash: none, secure_ports: false }
  - name: /private
    metadata_store: m
    content_store: c
    access: { users: { bob: write } }
  - { name: /secret, metadata_store: m, content_store: c, squash: none, smb_encryption: required }
adapters:
  limits: { memory: 128MiB }
  smb: { listen: "127.0.0.1:$port", $options, limits: { stall_seconds: 5 } }
CONFIG
  for user in root alice bob mallory gone; do
    [ "$user" = root ] || uid=$((uid + 1))
    echo "$user-password" | "$program" user add "$user" --uid "$([ "$user" = root ] && echo 0 || echo "$uid")" \
      --gid "$([ "$user" = root ] && echo 0 || echo 100)" --config "$work/$name.yaml" --data "$work/$name" >/dev/null
  done
  "$program" user change gone --disable --config "$work/$name.yaml" --data "$work/$name" >/dev/null
  "$program" serve --config "$work/$name.yaml" --data "$work/$name" --nfs "127.0.0.1:$((port + 1))" \
    >"$work/$name.out" 2>"$work/$name.log" &
  servers+=($!)
  for _ in $(seq 100); do
    ! grep -q cifs "$work/$name.out" || return 0
    sleep 0.1
  done
  echo "the server did not start" >&2
  cat "$work/$name.log" >&2
  exit 1
}
