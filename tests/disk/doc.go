// Package disk tests the disk driver on the disk that irqlab test provides.
package disk
