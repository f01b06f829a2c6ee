//go:build !linux

package transport

import "net"

// granted is not known here.
func granted(*net.UDPConn) (read, write int) { return 0, 0 }

// overflowed is not known here.
func overflowed(*net.UDPConn) uint64 { return 0 }
