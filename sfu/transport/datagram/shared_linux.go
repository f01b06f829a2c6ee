package datagram

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Shared is one of several UDP sockets on one address. The kernel gives all datagrams from one remote address to the same of
// them; any of them may send to it. Receive belongs to one goroutine; everything else may be called from any, also Close.
type Shared struct {
	// set at construction
	conn  *net.UDPConn
	raw   syscall.RawConn
	local netip.AddrPort
	read  func(fd uintptr) bool // as RawConn.Read takes it; made once, because making it allocates

	// owned by Receive
	in    *Inbox
	n     int
	errno unix.Errno
}

// ListenShared opens n sockets on one address, at least one; with port 0 the first chooses and the others follow. All of them
// are open when it returns, because each that is added or closed later would make the kernel deal out the flows anew. The
// address must be free: sockets of other processes are never joined.
func ListenShared(addr netip.AddrPort, n int, opts Options) ([]*Shared, error) {
	var all []*Shared
	for i := range max(n, 1) {
		s, err := listenShared(addr, opts, i > 0)
		if err == nil {
			all = append(all, s)
			addr = s.local
			if i == 0 && n > 1 {
				err = s.share()
			}
		}
		if err != nil {
			for _, s := range all {
				err = errors.Join(err, s.Close())
			}
			return nil, err
		}
	}
	return all, nil
}

func listenShared(addr netip.AddrPort, opts Options, joining bool) (*Shared, error) {
	fd, local, err := open(addr, opts, joining)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "udp")
	defer file.Close() // the connection has a descriptor of its own
	conn, err := net.FilePacketConn(file)
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s: %w", addr, err)
	}
	s := &Shared{conn: conn.(*net.UDPConn), local: local}
	if s.raw, err = s.conn.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on UDP %s: %w", addr, err), conn.Close())
	}
	s.read = func(fd uintptr) bool {
		s.n, s.errno = s.in.take(int(fd))
		return s.errno != unix.EAGAIN // else Go's poller waits
	}
	return s, nil
}

// share lets others bind to the address too. The first socket allows it only after it has bound itself: were it allowed before,
// a second server started by mistake would take half of the first one's flows instead of failing.
func (s *Shared) share() (err error) {
	failed := s.control(func(fd int) { err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	if err = errors.Join(failed, err); err != nil {
		return fmt.Errorf("share UDP %s: %w", s.local, err)
	}
	return nil
}

// Receive waits for messages and takes all that are there, up to the inbox's size. It ends with net.ErrClosed after Close and
// with os.ErrDeadlineExceeded after the deadline; any other error is the kernel's word on one datagram, and the next call may
// succeed.
func (s *Shared) Receive(in *Inbox) ([]Message, error) {
	s.in = in
	if err := s.raw.Read(s.read); err != nil {
		return nil, err
	}
	if s.errno != 0 {
		return nil, s.errno
	}
	return in.parse(s.n), nil
}

// SetReadDeadline bounds Receive, also one that waits already; the zero time takes the bound away.
func (s *Shared) SetReadDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// Send sends what is in an outbox and empties it. It never waits: what the kernel refuses is lost, and so is the rest once the
// socket's buffer is full. It takes no lock, so senders do not wait for each other either.
func (s *Shared) Send(out *Outbox) Sent {
	if err := s.raw.Control(out.post); err != nil { // closed
		sent := Sent{Refused: out.datagrams, Err: err}
		out.n, out.datagrams = 0, 0
		return sent
	}
	return out.sent
}

// letter is one datagram of WriteTo on its way through RawConn.Control.
type letter struct {
	to    name
	size  uint32
	data  []byte
	errno unix.Errno
	post  func(fd uintptr) // made once, because making it allocates
}

var letters = sync.Pool{New: func() any {
	l := &letter{}
	l.post = func(fd uintptr) { l.errno = write(int(fd), l.data, &l.to, l.size) }
	return l
}}

// WriteTo sends one datagram and never waits: with a full buffer it is dropped, which ErrFull says.
func (s *Shared) WriteTo(b []byte, to netip.AddrPort) error {
	l := letters.Get().(*letter)
	l.data, l.size = b, l.to.put(to)
	err := s.raw.Control(l.post)
	errno := l.errno
	l.data = nil
	letters.Put(l)
	switch {
	case err != nil:
		return err
	case errno == 0:
		return nil
	case full(errno):
		return ErrFull
	}
	return errno
}

// Local is the address that all the sockets of one ListenShared have.
func (s *Shared) Local() netip.AddrPort { return s.local }

// Close frees the socket. A Receive that waits ends.
func (s *Shared) Close() error { return s.conn.Close() }

// Segments says whether the kernel knows trains (UDP_SEGMENT, since Linux 4.18); one that does not would send them as they are.
func (s *Shared) Segments() bool {
	known := false
	_ = s.control(func(fd int) { // closed: it sends nothing at all
		_, err := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT)
		known = err == nil
	})
	return known
}

// Buffers is how large the kernel made the buffers, in bytes: it may give less than it was asked for. It is zero after Close.
func (s *Shared) Buffers() (read, write int) {
	_ = s.control(func(fd int) {
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

// Dropped is how many datagrams the receive buffer had no room for so far. It is zero after Close.
func (s *Shared) Dropped() (n uint64) {
	const drops = 8 // SK_MEMINFO_DROPS of linux/sock_diag.h
	var info [drops + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_ = s.control(func(fd int) {
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno == 0 {
			n = uint64(info[drops])
		}
	})
	return n
}

func (s *Shared) control(do func(fd int)) error {
	return s.raw.Control(func(fd uintptr) { do(int(fd)) })
}
