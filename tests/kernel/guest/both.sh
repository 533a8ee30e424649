# shellcheck shell=bash disable=SC2154,SC2164
# mount: none
# One share by NFS and by SMB at once: what one does the other sees.
mount_share "" noac
smb=/mnt/smb
mkdir -p "$smb"
mount_smb "$smb" vers=3.1.1,actimeo=0,cache=none,iocharset=utf8
trap 'umount -l "$smb"' EXIT
nfs=$DIR

step "contents, ids and sizes"
echo by-smb >"$smb/a"
echo by-nfs >"$nfs/b"
[ "$(cat "$nfs/a") $(cat "$smb/b")" = "by-smb by-nfs" ]
[ "$(stat -c '%i %s' "$nfs/a")" = "$(stat -c '%i %s' "$smb/a")" ]
[ "$(stat -c '%y' "$nfs/a" | cut -c1-27)" = "$(stat -c '%y' "$smb/a" | cut -c1-27)" ] || fail "times differ"
echo more >>"$nfs/a"
echo and-more >>"$smb/a"
[ "$(cat "$nfs/a")" = "$(printf 'by-smb\nmore\nand-more')" ]
head -c 3000000 /dev/urandom >"$SCRATCH/data"
cp "$SCRATCH/data" "$smb/data"
cmp "$SCRATCH/data" "$nfs/data"
printf over | dd of="$nfs/data" bs=1 seek=1048574 conv=notrunc status=none
printf over | dd of="$SCRATCH/data" bs=1 seek=1048574 conv=notrunc status=none
cmp "$SCRATCH/data" "$smb/data"
truncate -s 1000001 "$smb/data"
[ "$(stat -c %s "$nfs/data")" = 1000001 ]
chmod 640 "$nfs/a"
chown 1234:100 "$nfs/a"
echo still >>"$smb/a"
[ "$(stat -c '%a %u:%g' "$nfs/a")" = "640 1234:100" ] || fail "a write by SMB changed the mode or the owner"

step "renames and removals under open files"
exec 7<"$smb/b" 8<"$nfs/b"
mv "$nfs/b" "$nfs/c"
[ "$(cat <&7)" = by-nfs ] || fail "the open file by SMB has other bytes after a rename"
[ "$(cat "$smb/c")" = by-nfs ]
rm "$nfs/c"
[ "$(cat <&8)" = by-nfs ] || fail "the open file by NFS has gone"
exec 7<&- 8<&-
# While it has a name open, this client answers what it has open.
[ ! -e "$smb/b" ] || fail "a name that NFS renamed is seen by SMB"
[ ! -e "$smb/c" ] || fail "a name that NFS removed is seen by SMB"
echo text >"$smb/d"
exec 7<"$nfs/d"
rm "$smb/d"
[ ! -e "$nfs/d" ] || fail "a name that SMB removed is there by NFS"
exec 7<&-
mkdir "$nfs/dir"
echo x >"$nfs/dir/x"
! rmdir "$smb/dir" 2>/dev/null || fail "a directory with a file was removed"
mv "$smb/dir" "$smb/dir2"
[ "$(cat "$nfs/dir2/x")" = x ]
rm -r "$nfs/dir2"
[ ! -e "$smb/dir2" ]

step "a range that SMB locked is not written by NFS until it is free"
echo 0123456789 >"$nfs/locked"
exec 9<>"$smb/locked"
flock -x 9
printf X | timeout 4 dd of="$nfs/locked" bs=1 conv=notrunc,fsync status=none && fail "NFS wrote a locked range"
exec 9<&-
printf Y | timeout 60 dd of="$nfs/locked" bs=1 conv=notrunc,fsync status=none
sleep 1
[ "$(head -c 1 "$smb/locked")" = Y ]

step "names that differ in case only"
echo one >"$nfs/Name"
echo two >"$nfs/name"
[ "$(cat "$smb/Name") $(cat "$smb/name")" = "one two" ] || fail "each file has its exact name"
[ "$(find "$smb" -maxdepth 1 -iname name | wc -l)" = 2 ]
rm "$nfs/Name" "$nfs/name"
echo one >"$nfs/Only"
[ "$(cat "$smb/ONLY")" = one ] || fail "another case leads to no file by SMB"
[ ! -e "$nfs/ONLY" ] || fail "another case leads to a file by NFS"
mkdir "$smb/only" 2>/dev/null && fail "SMB made a second name in another case"
rm "$nfs/Only"

step "names that one protocol can't express"
printf plain >"$nfs/a:b"
printf star >"$nfs/what*?"
printf quoted >"$nfs/a\"b|c<d>"
printf dot >"$nfs/end."
printf latin >"$nfs/"$'latin-\xe4'
[ "$(cat "$smb/a:b") $(cat "$smb/what*?") $(cat "$smb/a\"b|c<d>") $(cat "$smb/end.")" = "plain star quoted dot" ]
[ "$(find "$smb" -maxdepth 1 -type f -name 'latin-*' -exec cat {} +)" = latin ] || fail "a name that is no text"
printf new >"$smb/new:name."
[ "$(cat "$nfs/new:name.")" = new ]
rm "$smb/a:b" "$smb/what*?" "$smb/end." "$smb/new:name." "$nfs/a\"b|c<d>"
find "$smb" -maxdepth 1 -name 'latin-*' -delete
ln -s data "$nfs/link"
mkfifo "$nfs/fifo"
ls -la "$smb" >/dev/null || fail "special files stop a listing"

rm -r "${nfs:?}"/*
[ -z "$(ls -A "$smb")" ] || { ls -la "$smb"; fail "entries are left"; }
step "done"
