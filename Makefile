# A thin face over cmd/irqlab: "make help" lists what there is.

ARCH ?= amd64
CPUS ?= 2
MEM  ?= 128M
SEED ?=
TIME ?= 10m

SHELL_PKG ?= ./shell
BENCH_PKG ?= ./bench
SOAK_PKG  ?= ./soak

# Packages that run on the host; every other package's tests run in the VM.
HOST_PKGS := ./cmd/... ./qemu ./image ./internal/...

IRQLAB  := bin/irqlab
MACHINE := -arch $(ARCH) -cpus $(CPUS) -mem $(MEM) $(if $(SEED),-seed $(SEED))

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Settings: ARCH=amd64|arm64 CPUS=1..8 MEM=128M SEED=n TIME=10m"
	@echo "such as: make qemu ARCH=arm64 CPUS=4 MEM=256M SEED=7"

qemu: tools ## boot the shell; "exit" or Ctrl-A X leaves
	@$(IRQLAB) run $(MACHINE) $(SHELL_PKG)

gdb: tools ## boot the shell under gdb
	@$(IRQLAB) debug $(MACHINE) $(SHELL_PKG)

.PHONY: help qemu gdb

# The tool is cheap to build when nothing changed, and only Go knows that.
tools: qemu-installed
	@go build -o $(IRQLAB) ./cmd/irqlab

qemu-installed:
	@cmd/irqlab/install-qemu.sh >&2

.PHONY: tools qemu-installed
