package datagram

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Socket is one unconnected UDP socket that Go's poller knows nothing of. Sending and receiving may happen on different
// threads; Close comes last.
type Socket struct {
	fd    int
	local netip.AddrPort
}

// Listen opens a socket on an address; port 0 takes a free one.
func Listen(addr netip.AddrPort, opts Options) (*Socket, error) {
	family := unix.AF_INET
	if addr.Addr().Is6() && !addr.Addr().Is4In6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return nil, fmt.Errorf("open a UDP socket: %w", err)
	}
	s := &Socket{fd: fd}
	if err := s.prepare(addr, opts); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("listen on UDP %s: %w", addr, err)
	}
	return s, nil
}

func (s *Socket) prepare(addr netip.AddrPort, opts Options) error {
	for _, o := range []struct {
		on                 bool
		level, name, value int
	}{
		{opts.GRO, unix.IPPROTO_UDP, unix.UDP_GRO, 1},
		{opts.Timestamps, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
		{true, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1},
	} {
		if !o.on {
			continue
		}
		if err := unix.SetsockoptInt(s.fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("socket option %d: %w", o.name, err)
		}
	}
	if opts.Buffer > 0 {
		s.grow(unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, opts.Buffer)
		s.grow(unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, opts.Buffer)
	}
	var sa unix.Sockaddr
	if addr.Addr().Is4() {
		sa = &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
	} else {
		sa = &unix.SockaddrInet6{Port: int(addr.Port()), Addr: addr.Addr().As16()}
	}
	if err := unix.Bind(s.fd, sa); err != nil {
		return err
	}
	bound, err := unix.Getsockname(s.fd)
	if err != nil {
		return err
	}
	switch b := bound.(type) {
	case *unix.SockaddrInet4:
		s.local = netip.AddrPortFrom(netip.AddrFrom4(b.Addr), uint16(b.Port))
	case *unix.SockaddrInet6:
		s.local = netip.AddrPortFrom(netip.AddrFrom16(b.Addr), uint16(b.Port))
	default:
		return errors.New("the socket has no address")
	}
	return nil
}

// grow asks for a buffer beyond the system's limit, which root gets, and else for what the limit allows.
func (s *Socket) grow(forced, plain, size int) {
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, forced, size) != nil {
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, plain, size) // a small buffer shows up as Message.Dropped
	}
}

// Local is the address the socket is bound to.
func (s *Socket) Local() netip.AddrPort { return s.local }

// Close frees the socket.
func (s *Socket) Close() error { return unix.Close(s.fd) }

// WriteTo sends one datagram. A full buffer drops it, as a network would.
func (s *Socket) WriteTo(b []byte, to netip.AddrPort) error {
	var name [unix.SizeofSockaddrInet6]byte
	n := putAddr(&name, to)
	for {
		_, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&name)), uintptr(n))
		switch errno {
		case 0, unix.EAGAIN, unix.ENOBUFS:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// putAddr writes a kernel address and returns its length.
func putAddr(name *[unix.SizeofSockaddrInet6]byte, to netip.AddrPort) int {
	binary.BigEndian.PutUint16(name[2:], to.Port())
	if ip := to.Addr().Unmap(); ip.Is4() {
		binary.NativeEndian.PutUint16(name[:], unix.AF_INET)
		a := ip.As4()
		copy(name[4:8], a[:])
		clear(name[8:])
		return unix.SizeofSockaddrInet4
	}
	binary.NativeEndian.PutUint16(name[:], unix.AF_INET6)
	a := to.Addr().As16()
	clear(name[4:8])
	copy(name[8:24], a[:])
	clear(name[24:])
	return unix.SizeofSockaddrInet6
}

// readAddr is the opposite of putAddr.
func readAddr(name *[unix.SizeofSockaddrInet6]byte) netip.AddrPort {
	port := binary.BigEndian.Uint16(name[2:])
	if binary.NativeEndian.Uint16(name[:]) == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(name[4:8])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(name[8:24])), port)
}
