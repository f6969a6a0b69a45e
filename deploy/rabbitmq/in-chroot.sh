#!/bin/sh
# in-chroot.sh CHROOT STATE COMMAND...: run a command of the newer broker on a state directory of the outside.
# The mounts live in a mount namespace of this process alone, so that nothing stays mounted when it ends, however it ends.
set -eu
root=$1 state=$2
shift 2
if [ "${GRADPHOTO_IN_NAMESPACE:-}" != 1 ]; then
    export GRADPHOTO_IN_NAMESPACE=1
    exec unshare --mount --propagation private "$0" "$root" "$state" "$@"
fi
unset GRADPHOTO_IN_NAMESPACE
mkdir -p "$root/dev" "$root/proc" "$root$state"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount --bind "$state" "$root$state"
cp /etc/hosts "$root/etc/hosts.new" && mv "$root/etc/hosts.new" "$root/etc/hosts"
exec chroot "$root" /usr/bin/env "$@"
