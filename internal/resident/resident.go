// Package resident lists the packages whose code may run at DISPATCH_LEVEL and
// above. They are compiled without write barriers and under the rules of the
// Go runtime itself, and their linked code is checked for what it calls.
package resident

// Packages holds the import paths.
var Packages = []string{
	"irqlab/arch",
	"irqlab/board",
	"irqlab/board/fdt",
	"irqlab/bugcheck",
	"irqlab/chance",
	"irqlab/disasm",
	"irqlab/dump",
	"irqlab/fault",
	"irqlab/irql",
	"irqlab/list",
	"irqlab/ntstatus",
	"irqlab/sync/spin",
	"irqlab/ipi",
	"irqlab/mm",
	"irqlab/pool",
	"irqlab/dpc",
	"irqlab/crash",
	"irqlab/disk",
	"irqlab/disk/layout",
	"irqlab/kernel",
	"irqlab/sync",
	"irqlab/paging",
	"irqlab/verifier",
	"irqlab/ob",
	"irqlab/linux",
	"irqlab/intr",
	"irqlab/entry",
	"irqlab/bench/probe",
	"irqlab/soak/load",
}

// GCFlags returns the go command's flags that compile the packages as resident.
func GCFlags() []string {
	flags := make([]string, len(Packages))
	for i, p := range Packages {
		flags[i] = "-gcflags=" + p + "=-wb=false -+"
	}
	return flags
}
