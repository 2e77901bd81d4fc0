// Command planted is an ordinary program with one package that claims to be
// resident.
package main

import "irqlab/internal/residentcheck/testdata/planted/resident"

func main() { resident.Use() }
