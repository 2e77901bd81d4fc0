#!/bin/sh
# Installs QEMU where apt-get and root are at hand; elsewhere says how to.
command -v qemu-system-x86_64 >/dev/null && command -v qemu-system-aarch64 >/dev/null && exit 0

packages='qemu-system-x86 qemu-system-arm'
if command -v apt-get >/dev/null; then
	install="apt-get install -y --no-install-recommends $packages"
	if [ "$(id -u)" = 0 ]; then
		DEBIAN_FRONTEND=noninteractive $install && exit 0
	elif sudo -n true 2>/dev/null; then
		sudo -n DEBIAN_FRONTEND=noninteractive $install && exit 0
	fi
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
