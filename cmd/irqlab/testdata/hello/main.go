// Command hello shows what reaches a program through the kernel command line.
// It does not import irqlab.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	fmt.Printf("%q %s\n", os.Args[1:], os.Getenv("GREETING"))
	if status, err := strconv.Atoi(os.Getenv("STATUS")); err == nil {
		os.Exit(status)
	}
}
