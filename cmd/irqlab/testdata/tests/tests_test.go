package tests

import "testing"

func TestPass(t *testing.T) { t.Log("here") }

func TestFail(t *testing.T) { t.Error("as expected") }

func TestHang(t *testing.T) { select {} }
