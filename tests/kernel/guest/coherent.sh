# shellcheck shell=bash disable=SC2154,SC2164
# mount: none
# Two clients by SMB, which cache as leases allow, and one by NFS work on the same files at random for RANDOM_SECONDS:
# nobody may read what was written over before it began to read.
mount_share "" noac,lookupcache=none
first=/mnt/first second=/mnt/second
mkdir -p "$first" "$second"
trap 'umount -l "$first" "$second"' EXIT
mount_smb "$first" vers=3.1.1,nosharesock,actimeo=0
mount_smb "$second" vers=3.1.1,nosharesock,actimeo=0
python3 -S "$CASES/coherent.py" "${RANDOM_SECONDS:-60}" "$DIR" "$first" "$second"
rm -f "${DIR:?}"/*
