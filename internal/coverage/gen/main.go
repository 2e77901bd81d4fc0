// Gen writes docs/wdk.md.
package main

import (
	"log"

	"irqlab/internal/coverage"
)

func main() {
	root, err := coverage.Root()
	if err == nil {
		err = coverage.Generate(root)
	}
	if err != nil {
		log.Fatal(err)
	}
}
