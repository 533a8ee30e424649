# shellcheck shell=bash disable=SC2034
# Sourced by the scripts beside it: what they have in common.
#   prepare "$@"           reads the options, and sees that Rust and cargo-nextest are there; sets work, kept, port, constant
#   wait_for_emulator      until what was started last takes connections, at the port of the emulator or at PORT
#   run_suites KIND        the suites of what is behind a network, against the emulator of this kind

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=.ci/needs
. "$root/.ci/needs"

prepare() {
  kills=8 sequences=2 filter=()
  if [ "${1:-}" = --long ]; then
    kills=200 sequences=40
    shift
  fi
  filter=("$@")
  need_rust
  cd "$root" || exit
  if ! has_nextest; then
    echo "cargo-nextest is needed, so that each test has a process and thus a prefix of its own: cargo install cargo-nextest" >&2
    exit 2
  fi
  port=${EMULATOR_PORT:-13940}
  kept=${XDG_CACHE_HOME:-$HOME/.cache}/dittofs-emulators
  mkdir -p "$kept"
  work=$(mktemp -d)
  emulator='' front='' one=''
  trap 'for one in $front $emulator; do kill "$one" 2>/dev/null || true; wait "$one" || true; done; rm -rf "$work"' EXIT
}

# What the tests call themselves.
constant() { # NAME FILE
  sed -n "s/^pub const $1: &str = \"\(.*\)\";/\1/p" "tests/src/$2.rs"
}

wait_for_emulator() { # [PORT]
  for _ in $(seq 300); do
    ! (exec 3<>"/dev/tcp/127.0.0.1/${1:-$port}") 2>/dev/null || return 0
    kill -0 "${front:-$emulator}" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$work/log" >&2
  return 1
}

run_suites() { # KIND [TEST THAT CAN'T HOLD THERE...]
  local kind=$1 except='' status=0
  shift
  for name in "$@"; do except+=" - test($name)"; done
  # One about a store without conditional puts, which is none of these: it has an S3 server of its own.
  except+=' - test(/^s3_without_conditions::/)'
  if [ ${#filter[@]} = 0 ]; then
    filter=(--test conformance_s3 --test kill --test reference_model)
    filter+=(-E "(binary(conformance_s3)$except) | ((binary(kill) | binary(reference_model)) & test(s3))")
  fi
  KILLS=${KILLS:-$kills} MODEL_DISK_SEQUENCES=${MODEL_DISK_SEQUENCES:-$sequences} CONTENT_SERVER=$kind:127.0.0.1:$port \
    cargo nextest run -p dittofs-tests --no-fail-fast --success-output final "${filter[@]}" </dev/null || status=$?
  [ "$status" = 0 ] || tail -n 20 "$work/log" >&2
  return "$status"
}
