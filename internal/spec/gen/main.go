// Gen writes docs/wdk.md.
package main

import (
	"log"

	"irqlab/internal/spec"
)

func main() {
	root, err := spec.Root()
	if err == nil {
		err = spec.Generate(root)
	}
	if err != nil {
		log.Fatal(err)
	}
}
