// Command input counts what it reads.
package main

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

func main() {
	b, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d bytes, sum %08x\n", len(b), crc32.ChecksumIEEE(b))
}
