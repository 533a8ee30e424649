# shellcheck shell=bash disable=SC2154,SC2164
# Random reads, writes, mapped accesses and truncations of one file, all verified.
# A fixed seed and one of today's.
bash "$SUITE" fsx "$DIR" 10000 1
seed=$(date +%j)
[ -n "$SHORT" ] || bash "$SUITE" fsx "$DIR" 10000 "$seed"
rm -f "$DIR"/fsx.*
echo "figure  10000 operations with seed 1${SHORT:+ only}"
