# shellcheck shell=bash disable=SC2154,SC2164
# The rig's own checks: read, write, append, truncate, rename, links, unlink while open.
mb=32 files=500
[ -z "$SHORT" ] || { mb=8 files=200; }
# SMB has no symbolic links without its POSIX extensions.
check-mount "$DIR" --mb $mb --files $files ${SMB:+--no-links}
