# shellcheck shell=bash disable=SC2154,SC2164
# Extended attributes by SMB: `user.NAME` of Linux is the attribute NAME of the server.
value() { getfattr --absolute-names --only-values -n "$1" "$2"; }
names() { getfattr --absolute-names "$1" | sed -n 's/^user\./user./p' | sort | tr '\n' ' '; }

step "set, get, list, remove, on a file and on a directory"
echo text >"$DIR/file"
mkdir "$DIR/folder"
for node in "$DIR/file" "$DIR/folder"; do
  setfattr -n user.mime_type -v text/plain "$node"
  setfattr -n user.author -v 0x00ff41 "$node"
  [ "$(value user.mime_type "$node")" = text/plain ]
  [ "$(value user.author "$node" | od -An -tx1 | tr -d ' ')" = 00ff41 ]
  [ "$(names "$node")" = 'user.author user.mime_type ' ] || fail "listed are: $(names "$node")"
  setfattr -n user.mime_type -v text/html "$node"
  [ "$(value user.mime_type "$node")" = text/html ]
  setfattr -x user.author "$node"
  [ "$(names "$node")" = 'user.mime_type ' ] || fail "listed are: $(names "$node")"
done
! getfattr -n user.author "$DIR/file" 2>/dev/null || fail "an attribute is there that was removed"

step "they go with a copy, and stay when the file is truncated"
cp --preserve=xattr "$DIR/file" "$DIR/copy"
[ "$(value user.mime_type "$DIR/copy")" = text/html ]
: >"$DIR/file"
[ "$(value user.mime_type "$DIR/file")" = text/html ]

step "many, and long ones"
for number in $(seq 50); do setfattr -n "user.number$number" -v "$number" "$DIR/copy"; done
[ "$(value user.number37 "$DIR/copy")" = 37 ]
[ "$(getfattr --absolute-names "$DIR/copy" | grep -c number)" = 50 ]
long=$(head -c 8000 /dev/zero | tr '\0' x)
setfattr -n user.long -v "$long" "$DIR/file"
[ "$(value user.long "$DIR/file")" = "$long" ]

if [ -n "$RESTARTS" ]; then
  step "after a kill of the server"
  ask kill
  [ "$(value user.mime_type "$DIR/folder")" = text/html ]
  [ "$(value user.long "$DIR/file")" = "$long" ]
fi
rm -r "$DIR/file" "$DIR/copy" "$DIR/folder"
step "done"
