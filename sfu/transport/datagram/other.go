//go:build !linux

package datagram

import (
	"errors"
	"net/netip"
	"time"
)

// Socket is one UDP socket; here there are none.
type Socket struct{}

// Listen answers errors.ErrUnsupported.
func Listen(netip.AddrPort, Options) (*Socket, error) { return nil, errors.ErrUnsupported }

// Local is never called: Listen makes no socket.
func (*Socket) Local() netip.AddrPort { return netip.AddrPort{} }

// Close is never called: Listen makes no socket.
func (*Socket) Close() error { return nil }

// WriteTo is never called: Listen makes no socket.
func (*Socket) WriteTo([]byte, netip.AddrPort) error { return errors.ErrUnsupported }

// Shared is one of several UDP sockets on one address; here there are none, so none of its methods is ever called.
type Shared struct{}

// ListenShared answers errors.ErrUnsupported.
func ListenShared(netip.AddrPort, int, Options) ([]*Shared, error) { return nil, errors.ErrUnsupported }

// Receive answers errors.ErrUnsupported.
func (*Shared) Receive(*Inbox) ([]Message, error) { return nil, errors.ErrUnsupported }

// SetReadDeadline answers errors.ErrUnsupported.
func (*Shared) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// Send sends nothing.
func (*Shared) Send(*Outbox) Sent { return Sent{} }

// WriteTo answers errors.ErrUnsupported.
func (*Shared) WriteTo([]byte, netip.AddrPort) error { return errors.ErrUnsupported }

// Local is the zero address.
func (*Shared) Local() netip.AddrPort { return netip.AddrPort{} }

// Close does nothing.
func (*Shared) Close() error { return nil }

// Segments is false.
func (*Shared) Segments() bool { return false }

// Buffers are zero.
func (*Shared) Buffers() (read, write int) { return 0, 0 }

// Dropped is zero.
func (*Shared) Dropped() uint64 { return 0 }

// SegmentationTrusted is false.
func SegmentationTrusted() (ok bool, why string) {
	return false, "only Linux cuts trains of datagrams"
}

// Inbox receives nothing here.
type Inbox struct{}

// NewInbox makes an inbox.
func NewInbox(int, int) *Inbox { return &Inbox{} }

// Receive answers errors.ErrUnsupported.
func (*Inbox) Receive(*Socket, bool) ([]Message, error) { return nil, errors.ErrUnsupported }

// Outbox sends nothing here.
type Outbox struct{}

// NewOutbox makes an outbox.
func NewOutbox(int) *Outbox { return &Outbox{} }

// Len is zero.
func (*Outbox) Len() int { return 0 }

// Full is false.
func (*Outbox) Full() bool { return false }

// Add does nothing.
func (*Outbox) Add(netip.AddrPort, []byte, int) {}

// Flush sends nothing.
func (*Outbox) Flush(*Socket) int { return 0 }

// Poller waits for nothing here.
type Poller struct{}

// NewPoller answers errors.ErrUnsupported.
func NewPoller() (*Poller, error) { return nil, errors.ErrUnsupported }

// Add answers errors.ErrUnsupported.
func (*Poller) Add(*Socket, int32) error { return errors.ErrUnsupported }

// Remove does nothing.
func (*Poller) Remove(*Socket) {}

// Wait returns nothing.
func (*Poller) Wait(time.Duration) []int32 { return nil }

// Wake does nothing.
func (*Poller) Wake() {}

// Close does nothing.
func (*Poller) Close() {}

// SharpTimers does nothing.
func SharpTimers() {}
