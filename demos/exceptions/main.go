// Command exceptions is the demo of that name alone.
package main

import "irqlab/demos"

func main() { demos.Main("exceptions") }
