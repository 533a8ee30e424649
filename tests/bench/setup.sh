#!/bin/bash
# Installs what tests/bench/nfs.sh needs on a fresh Debian 12, as root; may be run again.
# Rust itself comes from rust-toolchain.toml through rustup.
set -euo pipefail
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then           # no daemon starts because its package was installed
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod +x $policy
  trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=600 \
  gcc libc6-dev git python3 iproute2 util-linux procps \
  nfs-ganesha nfs-ganesha-vfs nfs-ganesha-mem rpcbind libnfs-utils
