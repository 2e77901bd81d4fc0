package kd

// kernelCommands are the ones that know the kernel's structures.
func kernelCommands() []command {
	return []command{
		{name: "!irql", args: "[cpu]", help: "show the processors' IRQLs", run: (*Debugger).irql},
		{name: "!idt", help: "list interrupts and their service routines", run: (*Debugger).idt},
		{name: "!pcr", args: "[cpu]", help: "show a processor's control region", run: (*Debugger).pcr},
		{name: "!prcb", args: "[cpu]", help: "show what the dispatcher keeps of a processor", run: (*Debugger).prcb},
		{name: "!running", args: "[-t] [-i]", help: "show what the processors run; -t with stacks, -i idle ones too", run: (*Debugger).runningCommand},
		{name: "!ready", args: "[cpu]", help: "show the ready queues", run: (*Debugger).ready},
		{name: "!stacks", args: "[0|1|2] [filter]", help: "list threads by what they do; 1 idle ones too, 2 with stacks", run: (*Debugger).stacks},
		{name: "!thread", args: "[thread]", help: "describe a thread, or the current one", run: (*Debugger).threadCommand},
		{name: "!process", args: "[0 [flags]]", help: "list the threads of the only process; flags 0 leave them out, 4 adds stacks", run: (*Debugger).processCommand},
		{name: "!dpcs", args: "[cpu]", help: "show the DPC queues", run: (*Debugger).dpcs},
		{name: "!apc", args: "[thread]", help: "show the APC queues", run: (*Debugger).apc},
		{name: "!timer", args: "[cpu]", help: "list the timers that are set", run: (*Debugger).timer},
		{name: "!locks", help: "list resources that are in use, and the mutants that threads own", run: (*Debugger).locks},
		{name: "!qlocks", help: "show the kernel's own spin locks", run: (*Debugger).queuedLocks},
		{name: "!deadlock", help: "show threads that wait for each other, and with the verifier the locks held", run: (*Debugger).deadlock},
		{name: "!verifier", help: "show what the verifier has verified", run: (*Debugger).verifier},
		{name: "!pool", args: "address", help: "show the pool page that an address is in", run: (*Debugger).pool},
		{name: "!poolused", help: "show nonpaged and paged pool by tag", run: (*Debugger).poolUsed},
		{name: "!handle", args: "[handle]", help: "list the open handles", run: (*Debugger).handles},
		{name: "!object", args: "[address or \\name]", help: "count the objects, or describe one, or list a directory", run: (*Debugger).objectCommand},
		{name: "!pte", args: "address", help: "show how an address is translated", run: (*Debugger).pte},
		{name: "!vm", help: "show memory in use", run: (*Debugger).vm},
		{name: "!irpfind", help: "list I/O request packets", run: (*Debugger).irpFind},
	}
}
