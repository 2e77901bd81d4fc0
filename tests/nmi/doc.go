// Package nmi tests callbacks for non-maskable interrupts.
package nmi
