package datagram

import (
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
	fd, local, err := open(addr, opts, false)
	if err != nil {
		return nil, err
	}
	return &Socket{fd: fd, local: local}, nil
}

// open makes a socket and binds it. With joining, the address may have sockets already that allow others beside them.
//
// IP_MTU_DISCOVER stays as it is (IP_PMTUDISC_WANT): packets go out with "don't fragment", and only what is longer than a path is
// known to take is cut. Media packets of 1,200 bytes fit everywhere but into nested tunnels, where fragments are better than
// no call at all; refusing them would be right for somebody who looks for the largest packet a path takes, which we do not.
func open(addr netip.AddrPort, opts Options, joining bool) (fd int, local netip.AddrPort, err error) {
	family := unix.AF_INET6
	if addr.Addr().Unmap().Is4() {
		family = unix.AF_INET
	}
	fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return -1, local, fmt.Errorf("open a UDP socket: %w", err)
	}
	if err = prepare(fd, opts, joining); err == nil {
		local, err = bind(fd, addr)
	}
	if err != nil {
		unix.Close(fd)
		return -1, local, fmt.Errorf("listen on UDP %s: %w", addr, err)
	}
	return fd, local, nil
}

func prepare(fd int, opts Options, joining bool) error {
	for _, o := range []struct {
		on                 bool
		level, name, value int
	}{
		{opts.GRO, unix.IPPROTO_UDP, unix.UDP_GRO, 1},
		{opts.Timestamps, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
		{true, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1},
		{joining, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1},
	} {
		if !o.on {
			continue
		}
		err := unix.SetsockoptInt(fd, o.level, o.name, o.value)
		if o.name == unix.UDP_GRO && o.level == unix.IPPROTO_UDP && errors.Is(err, unix.ENOPROTOOPT) {
			continue // before Linux 5.0 datagrams come one by one, which every reader understands
		}
		if err != nil {
			return fmt.Errorf("socket option %d: %w", o.name, err)
		}
	}
	if opts.Buffer > 0 {
		grow(fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, opts.Buffer)
		grow(fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, opts.Buffer)
	}
	return nil
}

// bind gives a socket its address and returns it, with the port that port 0 became.
func bind(fd int, addr netip.AddrPort) (netip.AddrPort, error) {
	var sa unix.Sockaddr
	if ip := addr.Addr().Unmap(); ip.Is4() {
		sa = &unix.SockaddrInet4{Port: int(addr.Port()), Addr: ip.As4()}
	} else {
		sa = &unix.SockaddrInet6{Port: int(addr.Port()), Addr: addr.Addr().As16()}
	}
	if err := unix.Bind(fd, sa); err != nil {
		return netip.AddrPort{}, err
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, err
	}
	switch b := bound.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(b.Addr), uint16(b.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(b.Addr), uint16(b.Port)), nil
	}
	return netip.AddrPort{}, errors.New("the socket has no address")
}

// grow asks for a buffer beyond the system's limit, which root gets, and else for what the limit allows.
func grow(fd, forced, plain, size int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, forced, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, size) // a small buffer shows up as Message.Dropped
	}
}

// Local is the address the socket is bound to.
func (s *Socket) Local() netip.AddrPort { return s.local }

// Close frees the socket.
func (s *Socket) Close() error { return unix.Close(s.fd) }

// WriteTo sends one datagram. A full buffer drops it, as a network would.
func (s *Socket) WriteTo(b []byte, to netip.AddrPort) error {
	var at name
	if errno := write(s.fd, b, &at, at.put(to)); errno != 0 && !full(errno) {
		return errno
	}
	return nil
}

// write sends one datagram and waits for nothing.
func write(fd int, b []byte, to *name, size uint32) unix.Errno {
	for {
		_, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(to)), uintptr(size))
		if errno != unix.EINTR {
			return errno
		}
	}
}
