// Package seh tests structured exceptions.
package seh
