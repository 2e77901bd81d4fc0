// Command dma uses a package of TamaGo's that the toolchain's standard library
// alone does not compile.
package main

import (
	"fmt"
	"os"

	"github.com/usbarmory/tamago/dma"
)

func main() {
	region, err := dma.NewRegion(1<<30, 4096, false)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("%#x to %#x\n", region.Start(), region.End())
}
