package datagram

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// SegmentationTrusted says whether trains may be sent on this machine (see Outbox.Add), and if not, why. What it cannot see: a
// hypervisor below us whose kernel has the fault; then trains get lost, and an operator has to do without them.
func SegmentationTrusted() (ok bool, why string) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return false, fmt.Sprintf("the kernel does not say its release: %v", err)
	}
	return trusted(unix.ByteSliceToString(name.Release[:]))
}
