// Package arch tests inside the machine what package irqlab/arch makes of the
// hardware's own words.
package arch
