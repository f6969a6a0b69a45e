#!/bin/sh
# newer.sh [DIR]: set RabbitMQ 4.3 up in DIR (default /var/lib/gradphoto/rabbitmq-newer), a Debian chroot, for the second lane of the tests.
# Debian 12 itself has 3.10 only. Needs root, debootstrap and about 500 MB. Safe to repeat: a finished one is left as it is.
# Afterwards: GRADPHOTO_RABBITMQ=DIR makes the embedded stack run this broker.
set -eu
root=${1:-/var/lib/gradphoto/rabbitmq-newer}
suite=${SUITE:-forky}
server=$root/usr/lib/rabbitmq/bin/rabbitmq-server
finished=$root/.finished

say() { printf '%s\n' "$*" >&2; }

if [ -f "$finished" ] && [ -x "$server" ]; then
    say "RabbitMQ 4.3 已在 $root · is already in $root"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    say "需要 root 才能建立 chroot;也可设置 GRADPHOTO_RABBITMQ_NEWER · a chroot needs root; or set GRADPHOTO_RABBITMQ_NEWER"
    exit 1
fi
if ! command -v debootstrap >/dev/null 2>&1; then
    say "安装 debootstrap:建立 Debian $suite 目录 · installing debootstrap: it makes a Debian $suite tree"
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends debootstrap >/dev/null
fi

# The mirror that this machine's own apt uses.
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -v security | head -n 1)}
mirror=${mirror:-http://deb.debian.org/debian}

# An unfinished attempt is removed; nothing is mounted below it, since mounts live in namespaces of their own (see below).
rm -rf "$root"
mkdir -p "$root"
say "debootstrap $suite -> $root"
debootstrap --variant=minbase "$suite" "$root" "$mirror" /usr/share/debootstrap/scripts/sid >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    exit 1
}
# apt in the chroot asks the same mirror by the same rules; services must not start; names of this machine must resolve.
cp /etc/hosts "$root/etc/hosts"
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"

say "apt-get install rabbitmq-server ($suite)"
unshare --mount --propagation private sh -eu -c '
    mount --rbind /dev "$1/dev"
    mount --rbind /proc "$1/proc"
    # A mirror may lag days behind; its signatures are checked all the same.
    chroot "$1" apt-get update -q -o Acquire::Check-Valid-Until=false
    DEBIAN_FRONTEND=noninteractive chroot "$1" apt-get install -q -y --no-install-recommends rabbitmq-server
' newer "$root" >>"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    exit 1
}
touch "$finished"
say "完成 · done: $(ls "$root/usr/lib/rabbitmq/lib" 2>/dev/null | tr '\n' ' ')"
