// Package tamago tests that TamaGo's packages work from Go code above the
// kernel, on the contract that package board fulfils.
package tamago
