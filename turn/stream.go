package turn

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/parleyrtc/parley/turn/guard"
)

const (
	// messageTime is how long the rest of a message may take once its first byte is there.
	messageTime = 10 * time.Second
	// allocatedIdle is how long a connection with an allocation may be silent: its refresh is due long before.
	allocatedIdle = 15 * time.Minute
	// writeTime is how long a client may take to make room. Media that late is of no use.
	writeTime = 5 * time.Second
)

// stream is a carrier over one TCP or TLS connection. It cuts the stream into messages itself and hands those on as if they
// were datagrams.
type stream struct {
	*carrier
	conn   net.Conn
	in     *bufio.Reader
	remote net.Addr

	// Guarded by timing, together with the conn's read deadline.
	timing   sync.Mutex
	started  bool      // A whole message has come.
	deadline time.Time // Until when there may be no allocation.
}

// newStream makes a carrier of conn, whose first message is due at first.
func newStream(s *Server, conn net.Conn, first time.Time) *stream {
	st := &stream{
		carrier: newCarrier(s, conn.LocalAddr()), conn: conn, in: bufio.NewReaderSize(conn, 2*guard.MaxMessage),
		remote: conn.RemoteAddr(), deadline: first,
	}
	st.freed = st.unused
	st.write = func(b []byte, _ net.Addr) error {
		if err := conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			return err
		}
		_, err := conn.Write(b)
		if err != nil {
			_ = conn.Close() // Part of a message may be out: the stream is out of step.
		}
		return err
	}
	return st
}

// unused starts the time a connection may be without an allocation.
func (s *stream) unused() {
	s.timing.Lock()
	defer s.timing.Unlock()
	s.deadline = time.Now().Add(s.server.cfg.Idle)
	_ = s.conn.SetReadDeadline(s.deadline)
}

// wait sets the deadline for the first byte of the next message.
func (s *stream) wait() error {
	s.timing.Lock()
	defer s.timing.Unlock()
	if s.relayOf(addrPort(s.remote)) != nil {
		return s.conn.SetReadDeadline(time.Now().Add(allocatedIdle))
	}
	return s.conn.SetReadDeadline(s.deadline)
}

// arrived gives the rest of a message its time, but a connection without an allocation no more than it has left.
func (s *stream) arrived(whole bool) error {
	s.timing.Lock()
	defer s.timing.Unlock()
	if whole {
		if !s.started {
			s.started = true
			s.deadline = time.Now().Add(s.server.cfg.Idle)
		}
		return nil
	}
	until := time.Now().Add(messageTime)
	if !s.started && s.deadline.Before(until) {
		until = s.deadline
	}
	return s.conn.SetReadDeadline(until)
}

// ReadFrom implements net.PacketConn: it gives the library the next message that passes the guard.
func (s *stream) ReadFrom(b []byte) (int, net.Addr, error) {
	s.settle()
	source := addrPort(s.remote)
	for {
		n, err := s.frame(b)
		if err != nil {
			switch {
			case errors.Is(err, os.ErrDeadlineExceeded):
				s.server.metrics.deny(deniedTimeout)
			case errors.Is(err, guard.ErrMalformed):
				s.server.metrics.deny(deniedMalformed)
			}
			_ = s.conn.Close()
			s.finish()
			return 0, nil, err
		}
		if s.accept(b[:n], s.remote, source) {
			return n, s.remote, nil
		}
	}
}

// frame reads the next message.
func (s *stream) frame(b []byte) (int, error) {
	if err := s.wait(); err != nil {
		return 0, err
	}
	if _, err := s.in.Peek(1); err != nil {
		return 0, err
	}
	if s.in.Buffered() < guard.FrameHeader {
		if err := s.arrived(false); err != nil {
			return 0, err
		}
	}
	head, err := s.in.Peek(guard.FrameHeader)
	if err != nil {
		return 0, err
	}
	size, err := guard.FrameSize(head)
	if err != nil {
		return 0, err
	}
	if size > len(b) {
		return 0, io.ErrShortBuffer
	}
	if s.in.Buffered() < size {
		if err := s.arrived(false); err != nil {
			return 0, err
		}
	}
	if _, err := io.ReadFull(s.in, b[:size]); err != nil {
		return 0, err
	}
	return size, s.arrived(true)
}

// WriteTo implements net.PacketConn.
func (s *stream) WriteTo(b []byte, to net.Addr) (int, error) { return len(b), s.reply(b, to) }

// Close implements net.PacketConn.
func (s *stream) Close() error { return s.conn.Close() }

// LocalAddr implements net.PacketConn.
func (s *stream) LocalAddr() net.Addr { return s.local }

// SetDeadline implements net.PacketConn.
func (s *stream) SetDeadline(t time.Time) error { return s.conn.SetDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (s *stream) SetReadDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn.
func (s *stream) SetWriteDeadline(t time.Time) error { return s.conn.SetWriteDeadline(t) }
