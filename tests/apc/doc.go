// Package apc tests the rules of area apc, and what other areas say of APCs.
package apc
