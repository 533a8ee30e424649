# shellcheck shell=bash disable=SC2154,SC2164
# What people do on a share: unpack, build, clone, copy there and back, remove.
step "untar on the mount and beside it"
mkdir "$DIR/tree" "$SCRATCH/tree"
tar -C "$DIR/tree" -xf "$MATERIAL/source.tar"
tar -C "$SCRATCH/tree" -xf "$MATERIAL/source.tar"
tar -C "$DIR/tree" --compare -f "$MATERIAL/source.tar"
echo 3 >/proc/sys/vm/drop_caches
step "compare contents, cold"
cmp <(sums "$DIR/tree") <(sums "$SCRATCH/tree")
[ "$(readlink "$DIR/tree/build/link-to-manifest")" = ../project/Cargo.toml ]

step "build with make and the C compiler"
make -C "$DIR/tree/build" -j2 check
[ -x "$DIR/tree/build/words" ]
make -C "$DIR/tree/build" -q words || fail "make would build again: a time stamp went wrong"
make -C "$DIR/tree/build" clean

git_work

step "rsync there and back"
# Ganesha does not set the times of symbolic links.
links=--times
case $SERVER_NAME in ganesha*) links=--omit-link-times ;; esac
same() {
  rsync -aic $links --dry-run --delete "$1" "$2" >"$SCRATCH/differences"
  [ ! -s "$SCRATCH/differences" ] || { cat "$SCRATCH/differences"; fail "$1 and $2 differ"; }
}
rsync -a "$SCRATCH/tree/" "$DIR/copy/"
rsync -a "$DIR/copy/" "$SCRATCH/back/"
same "$SCRATCH/tree/" "$SCRATCH/back/"
same "$SCRATCH/tree/" "$DIR/copy/"

step "cp -p keeps mode and times to the nanosecond"
touch -d '2001-02-03 04:05:06.789012345' "$SCRATCH/old"
chmod 604 "$SCRATCH/old"
cp -p "$SCRATCH/old" "$DIR/old"
cp -p "$DIR/old" "$SCRATCH/old-back"
[ "$(stat -c '%a %s %y' "$SCRATCH/old")" = "$(stat -c '%a %s %y' "$DIR/old")" ]
[ "$(stat -c '%a %s %y' "$SCRATCH/old")" = "$(stat -c '%a %s %y' "$SCRATCH/old-back")" ]

step "move, then remove all"
mv "$DIR/copy" "$DIR/moved"
mv "$DIR/moved/build" "$DIR/clone/build2"
rm -rf "$DIR/tree" "$DIR/clone" "$DIR/moved" "$DIR/old"
[ -z "$(ls -A "$DIR")" ] || { ls -la "$DIR"; fail "entries are left"; }
step "done"
