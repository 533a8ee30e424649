#!/usr/bin/env bash
# Runs what speaks S3 against Garage, a heavier server than the one in the tests' process: the suite of content stores, the
# reference model, and kills of the program behind a network that loses answers.
# Usage: tests/garage/run.sh [FILTER...], as cargo nextest takes it. KILLS and MODEL_SEQUENCES say how much.
# Environment: GARAGE, the program; it is built and kept under ~/.cache/dittofs-garage otherwise.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/.ci/needs"
need_rust
cd "$root"
kept=${XDG_CACHE_HOME:-$HOME/.cache}/dittofs-garage
garage=${GARAGE:-$kept/bin/garage}
if [ ! -x "$garage" ]; then
  need_package make make
  cargo install garage --locked --version 2.5.0 --root "$kept" --no-default-features --features bundled-libs,sqlite </dev/null
fi
if ! has_nextest; then
  echo "garage: cargo-nextest is needed, so that each test has a process and thus a prefix of its own: cargo install cargo-nextest" >&2
  exit 2
fi

# What the tests call themselves, see tests/src/s3.rs.
constant() { sed -n "s/^pub const $1: &str = \"\(.*\)\";/\1/p" tests/src/s3.rs; }
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
port=${GARAGE_PORT:-13930}
cat >"$work/garage.toml" <<EOF
metadata_dir = "$work/metadata"
data_dir = "$work/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:$((port + 1))"
rpc_public_addr = "127.0.0.1:$((port + 1))"
rpc_secret = "$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')"

[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:$port"
EOF
GARAGE_DEFAULT_ACCESS_KEY=$(constant ACCESS_KEY) GARAGE_DEFAULT_SECRET_KEY=$(constant SECRET_KEY) \
  GARAGE_DEFAULT_BUCKET=$(constant BUCKET) \
  "$garage" -c "$work/garage.toml" server --single-node --default-bucket >"$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do
  ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$work/log" >&2; exit 1; }
  sleep 0.1
done
"$garage" --version
filter=("$@")
# Garage has no conditional put, so that of two claims at the same instant both may win: the probe says so at the start.
[ $# != 0 ] || filter=(-E '(binary(conformance_s3) - test(concurrent_claims)) | ((binary(kill) | binary(reference_model)) & test(s3))')
status=0
S3_SERVER=127.0.0.1:$port cargo nextest run -p dittofs-tests --no-fail-fast "${filter[@]}" </dev/null || status=$?
[ "$status" = 0 ] || tail -n 20 "$work/log" >&2
exit "$status"
