package transport

import (
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// granted is how large the kernel made a socket's buffers, in bytes: it may give less than it was asked for.
func granted(conn *net.UDPConn) (read, write int) {
	control(conn, func(fd int) {
		// The kernel doubles what it is asked for, to have room for its own books (socket(7)).
		if n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err == nil {
			read = n / 2
		}
		if n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF); err == nil {
			write = n / 2
		}
	})
	return read, write
}

// overflowed is how many datagrams a socket's receive buffer had no room for.
func overflowed(conn *net.UDPConn) (n uint64) {
	const drops = 8 // SK_MEMINFO_DROPS of linux/sock_diag.h
	var info [drops + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	control(conn, func(fd int) {
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno == 0 {
			n = uint64(info[drops])
		}
	})
	return n
}

func control(conn *net.UDPConn, do func(fd int)) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { do(int(fd)) }) // closed: there is nothing to tell
	}
}
