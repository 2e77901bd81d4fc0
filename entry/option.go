package entry

import (
	"irqlab/bugcheck"
	"irqlab/dpc"
	"irqlab/dump"
	"irqlab/fault"
	"irqlab/linux"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/sync/spin"
	"irqlab/verifier"
)

// isOption reports whether a kernel option has a value.
func isOption(name, value string) bool {
	v, ok := linux.Option(name)
	return ok && v == value
}

// armFault has the fault happen that option fault= asks for.
func armFault() {
	if v, ok := linux.Option("fault"); ok && !fault.Arm(v) {
		bugcheck.Print("irqlab: option fault is not a kind and an occasion, such as ipi@120; there will be no fault\n")
	}
}

// setSpecialPool follows the options special, all or a tag, and specialat, which
// is start if blocks are to be guarded in front.
func setSpecialPool() {
	what, ok := linux.Option("special")
	if !ok {
		return
	}
	where, _ := linux.Option("specialat")
	pool.SetSpecial(what == "all", pool.TagOf(what), where == "start")
}

// verifierRules returns what the option verifier asks for; what it does not
// understand is all of it.
func verifierRules() verifier.Rule {
	v, ok := linux.Option("verifier")
	if !ok {
		return 0
	}
	r, ok := verifier.Parse(v)
	if !ok {
		bugcheck.Print("irqlab: option verifier names a rule that does not exist; all are on\n")
		r, _ = verifier.Parse("on")
	}
	return r
}

// checksOff turns off checked mode, for those who measure: option checks=off.
// What the documentation has a bug check for still ends in it; what a checked
// build finds besides does not.
func checksOff() {
	pool.SetChecked(false)
	spin.SetChecked(false)
	sync.Checked = false
	dpc.TimerOf = nil
}

// dumpKind is the kind of crash dump that option dump= asks for.
func dumpKind() dump.Kind {
	if name, ok := linux.Option("dump"); ok {
		if k, ok := dump.KindOf(name); ok {
			return k
		}
		bugcheck.Print("irqlab: there is no such kind of dump; it is automatic\n")
	}
	return dump.Automatic
}
