# Runs a rig that measures a release build and writes docs/performance-NAME.md: the part that the scripts have in common.
# Sourced, with `script` the path of the script, `name`, and `quick` the options of one short round.
root=$(cd "$(dirname "$script")/../.." && pwd)
output=$root/docs/performance-$name.md
command="tests/bench/$name.sh${*:+ $*}"
sizes=()
while [ $# -gt 0 ]; do
  case $1 in
    --quick) sizes=("${quick[@]}"); shift ;;
    --output) output=$(realpath -m "$2"); shift 2 ;;
    -h | --help) sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$script"; exit 0 ;;
    *) echo "$name.sh: unknown option $1" >&2; exit 2 ;;
  esac
done
[ -n "${SERVER_BIN:-}" ] || (cd "$root" && cargo build --release -p dittofs)
[ -n "${RIG_BIN:-}" ] || (cd "$root" && cargo build --release -p dittofs-tests --bin "dittofs-$name-bench")
# Nobody else measures in between.
exec 9>"${TMPDIR:-/tmp}/measure.lock"
flock 9
cores=$(nproc) model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
memory=$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)
commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
"${RIG_BIN:-$root/target/release/dittofs-$name-bench}" --program "${SERVER_BIN:-$root/target/release/dittofs}" \
  --output "$output" "${sizes[@]}" \
  --fact "Machine: $cores cores ($model), $memory GiB, Linux $(uname -r | cut -d- -f1)" \
  --fact "Command: \`$command\`" \
  --fact "Date: $(date -u +%F); commit: $commit; load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
echo "written: $output"
