package qemu

import "fmt"

// MaxStatus is the largest status a guest can exit with.
const MaxStatus = 255

// StopStatus is the status of a machine that a bug check has stopped: see
// bugcheck.ExitStatus.
const StopStatus = 66

// ExitByte maps a guest status to QEMU's exit status. The 0x10 and the low bit
// keep a guest's success apart from QEMU's own 0 and 1 and from a triple fault
// under -no-reboot, which also ends in 0: success is 33. The low bit is
// isa-debug-exit's doing; on ARM64 the kernel computes the same byte. It leaves
// room for seven bits of the status; the console's last line has all of it.
func ExitByte(status int) byte { return byte((0x10^status)<<1 | 1) }

// lowStatus inverts ExitByte, but for the status's highest bit.
func lowStatus(code int) (status int, ok bool) {
	if code < 0 || code > 255 || code&1 == 0 {
		return 0, false
	}
	return code>>1 ^ 0x10, true
}

// verdict weighs QEMU's exit status against the console's last line. Only a
// status that both agree on is the guest's; line is -1 when the console did
// not end in an exit line.
func verdict(code, line int) (status int, err error) {
	low, ok := lowStatus(code)
	switch {
	case ok && 0 <= line && line <= MaxStatus && int(ExitByte(line)) == code:
		return line, nil
	case code == 0:
		return 0, fmt.Errorf("the machine reset or was switched off before the kernel exited (triple fault?)%s", heard(line))
	case code == int(ExitByte(0x10)):
		return 0, fmt.Errorf("QEMU failed%s", heard(line))
	case ok:
		return 0, fmt.Errorf("QEMU's exit status %d says the guest exited with %d or %d%s", code, low, low|0x80, heard(line))
	default:
		return 0, fmt.Errorf("QEMU ended with status %d, which no guest exit produces%s", code, heard(line))
	}
}

func heard(line int) string {
	if line < 0 {
		return "; the console does not end in \"" + exitPrefix + "N\""
	}
	return fmt.Sprintf("; the console's last line says %d", line)
}
