package object

import (
	"math"
	"testing"
	"unsafe"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// rule: sem-nt-create
func TestSemaphoreCreate(t *testing.T) {
	kit.NoLeaks(t)
	for _, c := range []struct {
		count, limit LONG
		want         NTSTATUS
	}{
		{0, 1, STATUS_SUCCESS}, {1, 1, STATUS_SUCCESS}, {math.MaxInt32, math.MaxInt32, STATUS_SUCCESS},
		{0, 0, STATUS_INVALID_PARAMETER}, {0, -1, STATUS_INVALID_PARAMETER}, {-1, 1, STATUS_INVALID_PARAMETER},
		{2, 1, STATUS_INVALID_PARAMETER}, {math.MinInt32, math.MinInt32, STATUS_INVALID_PARAMETER},
	} {
		for _, create := range []func(PHANDLE, ACCESS_MASK, *OBJECT_ATTRIBUTES, LONG, LONG) NTSTATUS{NtCreateSemaphore, ZwCreateSemaphore} {
			var h HANDLE
			if s := create(&h, SEMAPHORE_ALL_ACCESS, nil, c.count, c.limit); s != c.want || (s == STATUS_SUCCESS) != (h != 0) {
				t.Errorf("%d of %d: %v, %#x, want %v", c.count, c.limit, s, uintptr(h), c.want)
			}
			if h != 0 {
				ZwClose(h)
			}
		}
	}
}

// rule: sem-nt-release
// rule: sem-nt-query
func TestSemaphore(t *testing.T) {
	kit.NoLeaks(t)
	var h, opened HANDLE
	a := attributes(base+"slots", 0, 0)
	want(t, "create", ZwCreateSemaphore(&h, SEMAPHORE_ALL_ACCESS, a, 1, 5), STATUS_SUCCESS)
	want(t, "open", ZwOpenSemaphore(&opened, SEMAPHORE_QUERY_STATE, a), STATUS_SUCCESS)
	state := func(what string, count LONG) {
		t.Helper()
		want := SEMAPHORE_BASIC_INFORMATION{CurrentCount: count, MaximumCount: 5}
		var got SEMAPHORE_BASIC_INFORMATION
		s := NtQuerySemaphore(opened, SemaphoreBasicInformation, PVOID(&got), ULONG(unsafe.Sizeof(got)), nil)
		if s != STATUS_SUCCESS || got != want {
			t.Errorf("%s: %v, %+v, want %+v", what, s, got, want)
		}
	}
	release := func(n, before LONG, status NTSTATUS) {
		t.Helper()
		for _, release := range []func(HANDLE, LONG, PLONG) NTSTATUS{NtReleaseSemaphore, ZwReleaseSemaphore} {
			count := LONG(-7)
			if s := release(h, n, &count); s != status || count != before {
				t.Errorf("release by %d: %v, count %d, want %v, %d", n, s, count, status, before)
			}
			if status == STATUS_SUCCESS {
				return
			}
		}
	}
	state("new", 1)
	release(2, 1, STATUS_SUCCESS)
	state("released", 3)
	release(3, -7, STATUS_SEMAPHORE_LIMIT_EXCEEDED)
	release(math.MaxInt32, -7, STATUS_SEMAPHORE_LIMIT_EXCEEDED)
	release(0, -7, STATUS_INVALID_PARAMETER)
	release(-1, -7, STATUS_INVALID_PARAMETER)
	release(math.MinInt32, -7, STATUS_INVALID_PARAMETER)
	state("unchanged", 3)
	want(t, "wait", ZwWaitForSingleObject(h, false, kit.NoTime), STATUS_SUCCESS)
	state("taken", 2)
	kit.Run(t, func() { want(t, "without the right", NtReleaseSemaphore(opened, 1, nil), STATUS_ACCESS_DENIED) })
	ZwClose(opened)
	ZwClose(h)
}
