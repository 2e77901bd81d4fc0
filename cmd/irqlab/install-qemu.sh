#!/bin/sh
# Installs QEMU where apt-get and root are at hand; elsewhere says how to.

installed() {
	command -v qemu-system-x86_64 >/dev/null && command -v qemu-system-aarch64 >/dev/null
}
installed && exit 0

packages='qemu-system-x86 qemu-system-arm'
install="apt-get install -y --no-install-recommends $packages"
export DEBIAN_FRONTEND=noninteractive

# A fresh machine has no package lists yet.
apt() {
	$1 $install || { $1 apt-get update && $1 $install; }
}

if command -v apt-get >/dev/null; then
	if [ "$(id -u)" = 0 ]; then
		apt ''
	elif sudo -n true 2>/dev/null; then
		apt 'sudo -n'
	fi
	installed && exit 0
	hint="sudo apt-get update && sudo $install"
elif command -v dnf >/dev/null; then
	hint='sudo dnf install qemu-system-x86-core qemu-system-aarch64-core'
elif command -v pacman >/dev/null; then
	hint='sudo pacman -S qemu-system-x86 qemu-system-aarch64'
else
	hint='brew install qemu'
fi
echo "irqlab needs QEMU. Install it with"
echo "	$hint"
exit 1
