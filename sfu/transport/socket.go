package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"time"

	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// socketBuffer is what we ask the kernel for in each direction, in bytes; it may grant less.
const socketBuffer = 4 << 20

// udpSocket is one UDP socket of the media port. Its methods may be called from any goroutine.
type udpSocket interface {
	// WriteTo sends one datagram, and drops it rather than wait.
	WriteTo(b []byte, to netip.AddrPort) error
	Local() netip.AddrPort
	Buffers() (read, write int) // that the kernel has granted, in bytes; 0: not known
	Dropped() uint64            // datagrams that came faster than they were read
	Close() error
}

// open opens one local address: the sockets of our own packet path, one for each processor, or a plain one for pion's.
func (p *Plane) open(addr netip.AddrPort) ([]udpSocket, error) {
	if !p.fast {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		if err != nil {
			return nil, fmt.Errorf("media UDP port: %w", err)
		}
		_ = conn.SetReadBuffer(socketBuffer)
		_ = conn.SetWriteBuffer(socketBuffer)
		return []udpSocket{plain{conn}}, nil
	}
	shared, err := datagram.ListenShared(addr, runtime.GOMAXPROCS(0), datagram.Options{Buffer: socketBuffer, Timestamps: true})
	if err != nil {
		return nil, fmt.Errorf("media UDP port: %w", err)
	}
	if p.longest > 1 && !shared[0].Segments() {
		p.config.Logger.Info("packets are sent one by one", "why", "the kernel cannot cut trains (UDP_SEGMENT)")
		p.longest = 1
	}
	sockets := make([]udpSocket, len(shared))
	for i, s := range shared {
		sockets[i] = s
	}
	return sockets, nil
}

// read starts the goroutines that read the sockets. They end when the sockets are closed.
func (p *Plane) read() {
	for local, sockets := range p.sockets {
		for lane, s := range sockets {
			if s, ok := s.(plain); ok {
				p.readers.Go(func() { p.readPlain(local, s) })
				continue
			}
			w := &worker{
				plane: p, local: local, socket: s.(*datagram.Shared), inbox: datagram.NewInbox(receiveBatch, maxDatagram),
				batch: p.newBatch(lane), intake: newIntake(),
			}
			p.workers = append(p.workers, w)
			p.readers.Go(w.serve)
		}
	}
}

// plain is a socket of the Go library, for pion's media path and other systems than Linux.
type plain struct{ *net.UDPConn }

// WriteTo implements udpSocket.
func (s plain) WriteTo(b []byte, to netip.AddrPort) error {
	_, err := s.WriteToUDPAddrPort(b, to)
	return err
}

// Local implements udpSocket.
func (s plain) Local() netip.AddrPort {
	local := s.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
}

// Buffers implements udpSocket.
func (s plain) Buffers() (read, write int) { return 0, 0 }

// Dropped implements udpSocket.
func (s plain) Dropped() uint64 { return 0 }

// readPlain hands everything that comes to pion, media too.
func (p *Plane) readPlain(local int, s plain) {
	in, b := newIntake(), make([]byte, maxDatagram)
	for {
		n, from, err := s.ReadFromUDPAddrPort(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || n == 0 || p.relays.has(from): // an error is the kernel's word on something we sent
		case !in.admit(time.Now(), from, b[:n]):
			p.refused.Add(1)
		default:
			p.mux.any(local, from, b[:n])
		}
	}
}
