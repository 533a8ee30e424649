#!/bin/bash
# Makes on the host what the guest's cases work on: material.sh DIR [--short]
#   DIR/source.tar   a source tree: this project, crates from cargo's registry (up to a number
#                    of files) and a small C project in build/
#   DIR/bare.git     a repository of the same tree with a few commits
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$1 files_max=2500
[ "${2:-}" != --short ] || files_max=500
tree=$out/tree
mkdir -p "$tree/project"

# The project's sources without what builds leave; a clone's or an exported tree alike.
tar -C "$root" --exclude=./target --exclude=./.git -cf - . | tar -C "$tree/project" -xf -
cp -r "$here/build" "$tree/build"

files=$(find "$tree" -type f | wc -l)
for crate in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/*/; do
  [ -d "$crate" ] || continue
  n=$(find "$crate" -type f | wc -l)
  [ $((files + n)) -le "$files_max" ] || continue
  [ "$(du -sk "$crate" | cut -f1)" -le 2048 ] || continue
  mkdir -p "$tree/crates"
  cp -r "$crate" "$tree/crates/"
  files=$((files + n))
done
ln -s ../project/Cargo.toml "$tree/build/link-to-manifest"
tar -C "$tree" -cf "$out/source.tar" .

commit() { git -C "$tree" add -A && git -C "$tree" commit -q -m "$1"; }
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=tree GIT_AUTHOR_EMAIL=tree@localhost
export GIT_COMMITTER_NAME=tree GIT_COMMITTER_EMAIL=tree@localhost
git -C "$tree" -c init.defaultBranch=main init -q
find "$tree" -name .gitignore -delete
commit "the tree"
for i in 1 2 3 4 5; do
  echo "change $i" >>"$tree/build/CHANGES"
  commit "change $i"
done
git clone -q --bare "$tree" "$out/bare.git"
rm -rf "$tree"
echo "material: $files files, $(du -sm "$out/source.tar" | cut -f1) MiB"
