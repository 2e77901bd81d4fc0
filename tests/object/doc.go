// Package object tests objects, names and handles, and the services on them.
package object
