package datagram

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Poller waits for many sockets at once. Wait belongs to one thread; Wake may be called from any.
type Poller struct {
	epoll, wake int
	events      [64]unix.EpollEvent
	ready       []int32
}

// NewPoller makes a poller with no socket.
func NewPoller() (*Poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open epoll: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		unix.Close(epoll)
		return nil, fmt.Errorf("open eventfd: %w", err)
	}
	p := &Poller{epoll: epoll, wake: wake}
	if err := p.add(wake, -1); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Add watches a socket under an id of the caller's, which is not negative.
func (p *Poller) Add(s *Socket, id int32) error { return p.add(s.fd, id) }

func (p *Poller) add(fd int, id int32) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: id}
	if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch a socket: %w", err)
	}
	return nil
}

// Remove forgets a socket; it comes before the socket's Close.
func (p *Poller) Remove(s *Socket) {
	_ = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, s.fd, nil) // one that was never added is forgotten already
}

// Wait blocks until a socket has something, somebody calls Wake or the time is up, and returns the ids of ready sockets;
// they stay ready until they are read empty. The result is valid until the next Wait.
func (p *Poller) Wait(timeout time.Duration) []int32 {
	ts := unix.NsecToTimespec(int64(max(timeout, 0)))
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.epoll), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)),
		uintptr(unsafe.Pointer(&ts)), 0, 0)
	p.ready = p.ready[:0]
	if errno != 0 {
		return p.ready // interrupted: the caller comes again
	}
	for _, ev := range p.events[:n] {
		if ev.Fd >= 0 {
			p.ready = append(p.ready, ev.Fd)
			continue
		}
		var drop [8]byte
		_, _ = unix.Read(p.wake, drop[:]) // only resets the counter
	}
	return p.ready
}

// Wake ends a Wait, the present one or the next.
func (p *Poller) Wake() {
	one := [8]byte{1}
	_, _ = unix.Write(p.wake, one[:]) // a full counter wakes as well
}

// Close frees the poller; nobody may be waiting.
func (p *Poller) Close() {
	unix.Close(p.wake)
	unix.Close(p.epoll)
}

// SharpTimers makes the calling thread wake up when it asked to, not up to 50 µs later, which is Linux's habit.
func SharpTimers() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // without it packets leave a little late
}
