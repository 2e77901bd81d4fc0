package linux

const (
	getrandom = 318
	eventfd2  = 290
)
