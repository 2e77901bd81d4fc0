package linux

const (
	getrandom = 278
	eventfd2  = 19
)
