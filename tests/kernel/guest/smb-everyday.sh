# shellcheck shell=bash disable=SC2154,SC2164
# What people do on a share by SMB: unpack, build, clone, copy there and back, remove. Without the POSIX extensions a
# mount has neither modes nor links of its own: contents, names, sizes and times count.
step "untar on the mount and beside it"
mkdir "$DIR/tree" "$SCRATCH/tree"
tar -C "$DIR/tree" --exclude=link-to-manifest --no-same-owner --no-same-permissions -xf "$MATERIAL/source.tar"
tar -C "$SCRATCH/tree" --exclude=link-to-manifest -xf "$MATERIAL/source.tar"
echo 3 >/proc/sys/vm/drop_caches
step "compare contents and times, cold"
cmp <(sums "$DIR/tree") <(sums "$SCRATCH/tree")
times() { (cd "$1" && find . -type f -printf '%p %s %Ts\n' | sort); }
diff <(times "$DIR/tree") <(times "$SCRATCH/tree") || fail "times or sizes are others"

step "build with make and the C compiler"
make -C "$DIR/tree/build" -j2 check
[ -s "$DIR/tree/build/words" ]
make -C "$DIR/tree/build" -q words || fail "make would build again: a time stamp went wrong"
make -C "$DIR/tree/build" clean

git_work -c core.symlinks=false -c core.fileMode=false

step "rsync there and back"
rsync -rt "$SCRATCH/tree/" "$DIR/copy/"
rsync -rt "$DIR/copy/" "$SCRATCH/back/"
diff -r "$SCRATCH/tree" "$SCRATCH/back"
[ -z "$(rsync -rtni --modify-window=1 --delete "$SCRATCH/tree/" "$DIR/copy/" | grep -v '/$')" ] || fail "rsync would copy again"

step "a name in another case is the same file"
echo text >"$DIR/Readme"
[ "$(cat "$DIR/README")" = text ]
rm "$DIR/Readme"

step "move, then remove all"
mv "$DIR/copy" "$DIR/moved"
mv "$DIR/moved/build" "$DIR/clone/build2"
rm -rf "$DIR/tree" "$DIR/clone" "$DIR/moved"
[ -z "$(ls -A "$DIR")" ] || { ls -la "$DIR"; fail "entries are left"; }
step "done"
