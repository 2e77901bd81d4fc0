// Rules prints how many rules of each area have a test that names them; with -v
// also those that have none, and what docs/caveats.md excuses.
package main

import (
	"flag"
	"log"
	"os"

	"irqlab/internal/coverage"
)

func main() {
	verbose := flag.Bool("v", false, "list the rules without a test")
	flag.Parse()
	root, err := coverage.Root()
	if err != nil {
		log.Fatal(err)
	}
	c, err := coverage.Cover(root)
	if err != nil {
		log.Fatal(err)
	}
	c.Print(os.Stdout, *verbose)
	for _, w := range c.Wrong {
		log.Print(w)
	}
	if c.Wrong != nil {
		os.Exit(1)
	}
}
