// Package guard tests that guards release what they hold.
package guard
