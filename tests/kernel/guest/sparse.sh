# shellcheck shell=bash disable=SC2154,SC2164
# Sparse files: written, copied, packed and unpacked; they read back alike and stay sparse.
python3 -S - "$SCRATCH/source" <<'PY'
import os, sys
f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
for at in (0, 5 << 20, (5 << 20) + 4096, 17 * 4096 + 3, 47 << 20):
    os.pwrite(f, os.urandom(5000), at)
os.ftruncate(f, (64 << 20) + 1234)
PY
used_kib() { du -k "$1" | cut -f1; }

cp --sparse=always "$SCRATCH/source" "$DIR/sparse"
sync
echo 3 >/proc/sys/vm/drop_caches
cmp "$SCRATCH/source" "$DIR/sparse"
used=$(used_kib "$DIR/sparse")
echo "figure  64 MiB with 25 kB of data uses $used KiB on the share"
[ "$used" -le 1024 ] || fail "the copy is not sparse: $used KiB"

tar -C "$DIR" -Scf "$SCRATCH/sparse.tar" sparse
mkdir "$DIR/unpacked"
tar -C "$DIR/unpacked" -xf "$SCRATCH/sparse.tar"
sync
echo 3 >/proc/sys/vm/drop_caches
cmp "$SCRATCH/source" "$DIR/unpacked/sparse"
[ "$(used_kib "$DIR/unpacked/sparse")" -le 1024 ] || fail "the unpacked copy is not sparse"

truncate -s 1T "$DIR/huge"
printf end | dd of="$DIR/huge" bs=1 seek=1099511627776 conv=notrunc status=none
[ "$(stat -c %s "$DIR/huge")" = 1099511627779 ]
[ "$(tail -c 5 "$DIR/huge" | od -An -tx1 | tr -d ' ')" = 0000656e64 ]
[ "$(used_kib "$DIR/huge")" -le 1024 ] || fail "the huge file is not sparse"
rm -r "$DIR/sparse" "$DIR/unpacked" "$DIR/huge"
