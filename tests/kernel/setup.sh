#!/bin/bash
# Installs what tests/kernel/run.sh needs on a fresh Debian 12, as root; may be run again.
#   --ganesha   also nfs-ganesha, for SERVER=ganesha-vfs
# KERNEL_CLIENT: the rig, default ../shared/kernel-client beside the project.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
rig=${KERNEL_CLIENT:-$root/../shared/kernel-client}
packages=(attr gcc libc6-dev make git rsync python3 iproute2 util-linux)
[ "${1:-}" != --ganesha ] || packages+=(nfs-ganesha nfs-ganesha-vfs rpcbind)

# No daemon starts because its package was installed.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod +x $policy
  trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=600 "${packages[@]}"
"$rig/setup.sh"
suites=${SUITES:-$HOME/.cache/kernel-client-suites}
if [ ! -x "$suites/bin/pjdfstest" ] || [ ! -x "$suites/bin/fsx" ]; then "$rig/suites/suite.sh" install; fi
