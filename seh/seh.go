// Package seh turns the statuses that resident code raises into panics of Go
// code, which a driver recovers from where its C twin has an exception handler.
// Importing it is enough.
//
// It is not resident: a panic needs the Go runtime. See kernel.RaiseStatus.
package seh

import (
	"irqlab/kernel"
	"irqlab/ntstatus"
)

func init() { kernel.Throw = throw }

func throw(s ntstatus.Status) { panic(ntstatus.Exception{Status: s}) }
