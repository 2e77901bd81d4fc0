package main

import (
	"fmt"
	"runtime"
	"time"
	_ "irqlab/entry"
)

func main() {
	fmt.Println("hello from Go", runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0), time.Now())
	c := make(chan int)
	for i := 0; i < 4; i++ {
		go func() { s := 0; for j := 0; j < 1000000; j++ { s += j }; c <- s }()
	}
	for i := 0; i < 4; i++ { fmt.Println(<-c) }
	t := time.Now()
	for i := 0; i < 5; i++ { time.Sleep(10*time.Millisecond); runtime.GC() }
	fmt.Println("5 sleeps", time.Since(t))
}
