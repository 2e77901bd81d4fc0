# A thin face over cmd/irqlab; "make help" lists what there is.

ARCH ?= amd64
CPUS ?= 2
MEM  ?= 128M
SEED ?=
TIME ?= 10m

# The compiler and the linters take a third less time with a heap that grows to
# half a gigabyte.
export GOGC ?= 400
# With or without a C compiler, the programs are the same.
export CGO_ENABLED := 0

SHELL_PKG ?= ./shell
BENCH_PKG ?= ./bench
SOAK_PKG  ?= ./soak

IRQLAB  := bin/irqlab
MACHINE  = -arch $(ARCH) -cpus $(CPUS) -mem $(MEM) $(if $(SEED),-seed $(SEED))

# A setting if the user gave it, else what follows.
given = $(if $(filter command% environment%,$(origin $(1))),$($(1)),$(2))

# What runs on the host and is part of no image.
HOST_PKGS := ./cmd/... ./qemu ./image ./internal/... ./dump/load ./kd/...
# What is: its tests run in the machine, on each architecture and number of CPUs.
VM_PKGS    = $(shell go list ./... | grep -Ev '^irqlab/(cmd|qemu|image|internal|dump/load|kd)(/|$$)|/gen$$')
# What has a meaning only there.
GUEST_ONLY = $(filter irqlab/tests/% irqlab/bench% irqlab/soak% irqlab/demos%,$(VM_PKGS))
VM_RUNS   := vm-amd64 vm-arm64
# What compiles with the build overlay only, which gives it a standard library of
# its own. Vet cannot enter a directory that only the overlay has.
OVERLAID  := irqlab/tests/tamago

# These objections of vet are the trade of code that handles stacks and
# addresses: see the packages' comments.
VET_KERNEL := -asmdecl=false -framepointer=false -unsafeptr=false

.DEFAULT_GOAL := help
.NOTPARALLEL:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'Settings: ARCH=amd64|arm64 CPUS=1..8 MEM=128M SEED=n TIME=10m,'
	@echo 'such as in: make qemu ARCH=arm64 CPUS=4 MEM=256M SEED=7'

qemu: tools ## boot the shell; "exit" or Ctrl-A X leaves, Ctrl-A B breaks into the kernel debugger
	@$(IRQLAB) run $(MACHINE) $(SHELL_PKG)

gdb: tools ## boot the shell under gdb
	@$(IRQLAB) debug $(MACHINE) $(SHELL_PKG)

kd: tools ## boot the shell under the kernel debugger
	@$(IRQLAB) kd $(MACHINE) $(SHELL_PKG)

test: tools lint host-test test-go-short vm schedules ## run every test, on the host and in the machine (15 minutes)

check: tools lint ## run the quick checks: formatting, linters, host tests, one boot per architecture (2 minutes)
	@go test -short -vet=off -timeout 60m $(HOST_PKGS) $(filter-out $(GUEST_ONLY),$(VM_PKGS))

test-go: tools ## run the Go distribution's own tests in the machine
	@$(IRQLAB) gotests -arch $(ARCH) -cpus $(CPUS)

# Each seed gives every lock and wait as many schedules, timed otherwise than the
# next seed's.
SCHEDULE_SEEDS = $(or $(SEED),3 7)
in_schedules   = for arch in $(1); do for seed in $(SCHEDULE_SEEDS); do \
		$(IRQLAB) test -arch $$arch -cpus 2 -seed $$seed -env SCHEDULES=$(2) -count 1 -vet=off -timeout 2h ./tests/schedules || exit; \
	done; done

schedules: tools ## run threads against each lock and wait, in 200 schedules of each
	@($(call in_schedules,amd64,100)) & amd64=$$!; ($(call in_schedules,arm64,100)); status=$$?; wait $$amd64 && exit $$status

soak: tools ## run all stops, faults and more schedules, on both architectures, then stress for TIME every machine, or those of ARCH and CPUS
	@go test -count 1 -timeout 3h ./internal/stops -all
	@go test -count 1 -timeout 3h ./internal/faults -faults 200
	@$(call in_schedules,$(call given,ARCH,amd64 arm64),500)
	@for arch in $(call given,ARCH,amd64 arm64); do for cpus in $(call given,CPUS,1 2 4); do \
		$(IRQLAB) run -arch $$arch -cpus $$cpus -mem $(MEM) $(if $(SEED),-seed $(SEED)) -timeout 1000h $(SOAK_PKG) -- $(TIME) || exit; \
	done; done

fuzz: tools ## invent calls of the locks and waits, on the host, for TIME
	@go test -vet=off -run '^$$' -fuzz FuzzCalls -fuzztime $(TIME) ./internal/calls

rules: ## count the rules of the specification that have a test; V=-v lists the others
	@go run ./internal/coverage/rules $(V)

bench: tools ## count guest instructions per operation
	@$(IRQLAB) test -arch $(ARCH) -seed $(or $(SEED),0) -cpus 1 -opt checks=off -run '^$$' -bench . -benchtime 1x $(BENCH_PKG)

LINT_PKGS  = $(filter-out $(OVERLAID),$(VM_PKGS))
# What is the same on both architectures has been read for the first.
ARM64_PKGS = $(filter-out $(OVERLAID),$(shell git ls-files '*_arm64.go' '*_arm64_test.go' | xargs -n 1 dirname | sort -u | sed 's,^,irqlab/,'))
# Tests of resident code are ordinary Go, and do not compile as resident code.
RESIDENT    = $(patsubst '-gcflags=%=-wb=false,%,$(filter '-gcflags=%,$(shell $(IRQLAB) goflags)))
HOST_TESTED = $(shell go list -f '{{if .TestGoFiles}}{{.ImportPath}}{{end}}' $(RESIDENT))

lint: tools ## run gofmt, go vet and staticcheck
	@files="$$(git ls-files '*.go' | xargs gofmt -l)"; test -z "$$files" || { echo "gofmt would change:"; echo "$$files"; exit 1; }
	@go vet $(HOST_PKGS)
	@go tool staticcheck $(HOST_PKGS) $(HOST_TESTED)
	@tool=$$(go tool -n staticcheck) && flags=$$($(IRQLAB) goflags) && export GOFLAGS="$$(go env GOFLAGS) $$flags" && \
		GOARCH=amd64 go vet $(VET_KERNEL) $(LINT_PKGS) && GOARCH=arm64 go vet $(VET_KERNEL) $(ARM64_PKGS) && \
		GOARCH=amd64 $$tool $(filter-out $(HOST_TESTED),$(LINT_PKGS)) && \
		GOARCH=arm64 $$tool $(filter-out $(HOST_TESTED),$(ARM64_PKGS)) && GOARCH=arm64 $$tool -tests=false $(filter $(HOST_TESTED),$(ARM64_PKGS))

host-test: tools ## run the host's tests
	@go test -vet=off -timeout 60m $(HOST_PKGS) $(filter-out $(GUEST_ONLY),$(VM_PKGS))

# A command for both architectures at a time, each with one processor's worth of
# work.
both = $(1) amd64 & amd64=$$!; $(1) arm64; status=$$?; wait $$amd64 && exit $$status

test-go-short: tools ## run a selection of the Go distribution's own tests, on both architectures
	@$(call both,$(IRQLAB) gotests -short -arch)

# Vet has had its say in lint. One architecture goes without the verifier: what takes
# a shorter way without it must be tested too. What the tests allocate, by their tag,
# is special pool on the other.
VERIFIER_amd64 := -opt verifier=on -opt special=Test
in_vm = for pkgs in "$(filter-out irqlab/bench $(OVERLAID),$(VM_PKGS))" $(OVERLAID); do \
		$(IRQLAB) test -room "$$room" -arch $(1) -cpus 1,2,4 $(VERIFIER_$(1)) -count 1 -vet=off -timeout 30m $$pkgs || exit; \
	done

# Beside each other they run no more machines than one after the other, and leave
# less of the host idle at their ends.
vm: tools ## run the machine's tests on both architectures
	@room=$$(mktemp -d) && trap 'rm -rf "$$room"' EXIT && \
		{ ($(call in_vm,amd64)) & amd64=$$!; ($(call in_vm,arm64)); status=$$?; wait $$amd64 && exit $$status; }

$(VM_RUNS): vm-%: tools
	@$(call in_vm,$*)

# Cheap when nothing changed, which only the go command knows. Standard input
# and output belong to the guest.
tools:
	@go build -o $(IRQLAB) ./cmd/irqlab </dev/null >&2
	@$(IRQLAB) install-qemu </dev/null >&2

.PHONY: help qemu gdb kd test check test-go schedules soak fuzz rules bench lint host-test test-go-short tools vm $(VM_RUNS)
