# shellcheck shell=bash disable=SC2154,SC2164
# POSIX checks by the pjdfstest crate. What an NFSv3 client makes impossible is listed, with the
# reason, in pjdfstest.expected; anything else that fails fails the case, and so does a case of the
# list that passes.
EXPECTED=$(sed -n 's/^\([a-z][^ ]*\) .*/\1/p' "$CASES/../pjdfstest.expected" | tr '\n' ' ')
case $SERVER_NAME in ganesha*) EXPECTED+="utimensat::follow_symlink" ;; esac
export EXPECTED
bash "$SUITE" pjdfstest "$DIR" >"$SCRATCH/out" 2>&1 || rc=$?
cat "$SCRATCH/out"
! grep -q 'PASSED UNEXPECTEDLY' "$SCRATCH/out" || rc=1
echo "figure  $(grep -E '^Tests: ' "$SCRATCH/out" || tail -n 1 "$SCRATCH/out")"
rm -rf "$DIR/pjdfstest"
exit "${rc:-0}"
