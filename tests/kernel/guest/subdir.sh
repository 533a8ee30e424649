# shellcheck shell=bash disable=SC2154,SC2164
# mount: none
# A folder of the share mounted by itself, as root and seen through the share's own mount.
mount_share
mkdir -p "$DIR/sub/deeper"
echo inside >"$DIR/sub/deeper/file"
umount "$DIR"

mount_share /sub
[ "$(ls "$DIR")" = deeper ] || fail "the mount shows $(ls "$DIR")"
[ "$(cat "$DIR/deeper/file")" = inside ]
echo new >"$DIR/new"
[ "$(ls "$DIR/deeper/..")" = "$(ls "$DIR")" ]
umount "$DIR"

mount_share /sub/deeper
[ "$(cat "$DIR/file")" = inside ]
umount "$DIR"

! mount_share /none 2>/dev/null || fail "a folder that is not there could be mounted"
! mount_share /sub/new 2>/dev/null || fail "a file could be mounted"

mount_share
[ "$(cat "$DIR/sub/new")" = new ]
rm -r "$DIR/sub"
[ -z "$(ls -A "$DIR")" ]
