package gotests

// Suites are the standard library's packages that need little of an operating
// system, with the tests that do need it.
var Suites = []Suite{
	{Package: "sync/atomic", Short: true},
	{Package: "sync", Short: true, Skip: syncSkips},
	{Package: "context", Short: true, Skip: contextSkips},
	{Package: "sort", Short: true},
	{Package: "strings", Short: true},
	{Package: "bytes", Short: true},
	{Package: "container/heap", Short: true},
	{Package: "container/list", Short: true},
	{Package: "container/ring", Short: true},
	{Package: "math/big"},
	{Package: "time", Tags: []string{"timetzdata"}, Skip: timeSkips},
	{Package: "runtime", Skip: runtimeSkips},
}

const startsProcesses = "starts processes"

// archSkips are tests that cannot pass on one architecture, by package.
var archSkips = map[string]map[string][]Skip{
	"arm64": {"sync/atomic": {
		{"TestStoreLoadSeqCst32", weakOrder},
		{"TestStoreLoadSeqCst64", weakOrder},
	}},
}

// longSkips are tests that the representative selection leaves out, by package.
var longSkips = map[string][]Skip{
	"sync/atomic": {{"TestValueCompareAndSwapConcurrent", "takes a minute under emulation: make test-go"}},
}

const weakOrder = "QEMU on x86-64 lets LDAR overtake STLR (docs/caveats.md)"

var syncSkips = []Skip{
	{"TestMutexMisuse", startsProcesses},
	{"TestIssue76126", startsProcesses},
	{"ExampleOnceValues", "reads a file"},
}

var contextSkips = []Skip{
	{"ExampleAfterFunc_connection", "needs a network"},
}

var timeSkips = []Skip{
	{"TestLoadLocationFromTZData", "reads files"},
	{"TestLoadLocationFromTZDataSlim", "reads files"},
	{"TestLongAdjustTimers", "does in its 60 seconds what takes an emulator longer"},
}

var runtimeSkips = []Skip{
	{"ExampleAddCleanup", "writes a file"},
	{"TestArenaCollision", startsProcesses},
	{"TestCrashWhileTracing", startsProcesses},
	{"TestDecorateMappings", "reads /proc/self/maps"},
	{"TestFinalizerRegisterABI", startsProcesses},
	{"TestG0StackOverflow", startsProcesses},
	{"TestIssue66841", startsProcesses},
	{"TestMemHashGlobalSeed", startsProcesses},
	{"TestMemmoveOverflow", "maps a file"},
	{"TestRuntimePanic", startsProcesses},
	{"TestSchedPauseMetrics", "writes a heap dump to a file"},
	{"TestSetPanicOnFault", "touches system space, for which there is no handler (bug check 0x50)"},
	{"TestTracebackRuntimeFunction", startsProcesses},
	{"TestTracebackRuntimeMethod", startsProcesses},
	{"TestTracebackSystem", startsProcesses},
}

// programSkips are the programs of GOROOT/test that cannot pass here and do
// not show it in their source, by architecture.
var programSkips = map[string]map[string]string{
	"arm64": {"test/nilptr.go": "wants its data in the first 256 MiB; QEMU's virt has no RAM below 1 GiB"},
}

// shortPrograms begin the names of the representative selection: channels, and
// panics by hardware faults among others.
var shortPrograms = []string{"test/chan/", "test/recover"}
