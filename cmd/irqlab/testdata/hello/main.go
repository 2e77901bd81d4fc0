// Command hello shows what reaches a program through the kernel command line.
// It does not import irqlab.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Printf("%q %s\n", os.Args[1:], os.Getenv("GREETING"))
	if len(os.Args) > 3 {
		os.Exit(3)
	}
}
