package kd

// apc is !apc.
func (d *Debugger) apc(v *invocation) error {
	threads := d.allThreads()
	switch words := v.fields(); len(words) {
	case 0:
	case 1:
		threads = []thread{d.findThread(words[0])}
	default:
		return errUsage
	}
	queued := 0
	for _, t := range threads {
		queues := t.field("APCs")
		for mode := range queues.len() {
			for _, e := range d.list(queues.elem(mode)) {
				if queued++; queued == 1 {
					d.printf("%6s %-16s %-6s %-17s %s\n", "THREAD", "NAME", "KIND", "KAPC", "ROUTINES")
				}
				d.describeAPC(t, d.container(e, "kernel.APC", "Entry"))
			}
		}
	}
	if queued == 0 {
		d.printf("no APC is queued\n")
	}
	return nil
}

func (d *Debugger) describeAPC(t thread, a value) {
	kind := "normal"
	switch {
	case a.field("NormalRoutine").uint() == 0:
		kind = "special"
	case a.field("Mode").bool():
		kind = "user"
	}
	d.printf("%6s %-16s %-7s %s kernel %s, normal %s\n", t.idText(), t.name(), kind, address(a.addr),
		d.function(d.code(a.field("KernelRoutine").uint())), d.function(d.code(a.field("NormalRoutine").uint())))
}

// irpFind is !irpfind.
func (d *Debugger) irpFind(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	d.printf("this kernel has no I/O manager: there are no IRPs\n")
	return nil
}
