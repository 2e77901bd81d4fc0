// Command clock prints what a machine could take from its host: the time, how
// long things take, random numbers, the order of a map, addresses.
package main

import (
	"crypto/rand"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"time"
)

func main() {
	start := time.Now()
	fmt.Println(start)
	time.Sleep(10 * time.Millisecond)
	b := make([]byte, 8)
	rand.Read(b)
	fmt.Printf("%x %x %p\n", b, mathrand.Uint64(), b)
	m := map[int]int{}
	for i := range 100 {
		m[i] = i
	}
	fmt.Println(slices.Collect(maps.Keys(m)))
	fmt.Println(time.Since(start))
}
