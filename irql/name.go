package irql

// names are those of the documentation; a device level is a DIRQL.
var names = [...]string{
	"PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL",
	"DIRQL 3", "DIRQL 4", "DIRQL 5", "DIRQL 6", "DIRQL 7", "DIRQL 8", "DIRQL 9", "DIRQL 10", "DIRQL 11", "DIRQL 12",
	"CLOCK_LEVEL", "IPI_LEVEL", "HIGH_LEVEL",
}

// String returns the level's documented name.
//
// IRQL: any
func (l Level) String() string {
	if int(l) < len(names) {
		return names[l]
	}
	return "no IRQL"
}
