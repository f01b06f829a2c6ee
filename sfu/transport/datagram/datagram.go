// Package datagram moves UDP datagrams in batches between the kernel and its caller without an allocation per packet:
// recvmmsg, sendmmsg, and segmentation offload in both directions.
//
// There are two kinds of socket. A Shared one waits in Go's network poller, so a goroutine that waits holds no thread; several
// of them share one address, and the kernel gives each flow to one. A Socket belongs to a thread that does nothing else and
// waits itself, for one socket or with a Poller for many. Both take and send what an Inbox and an Outbox hold.
//
// All of it works on Linux only; elsewhere Listen, ListenShared and NewPoller answer errors.ErrUnsupported.
package datagram

import (
	"errors"
	"net/netip"
)

// Options of a socket; the zero value is a plain one.
type Options struct {
	Buffer     int  // bytes of kernel buffer in each direction; 0 is the system's default
	GRO        bool // datagrams of one train arrive as one message (see Message.Segment), if the kernel can
	Timestamps bool // Message.At says when the kernel took the datagram
}

// ErrFull says that a datagram was dropped because the socket's send buffer had no room.
var ErrFull = errors.New("the send buffer is full")

// Message is one received message. It is valid until the next Receive of its Inbox.
type Message struct {
	Data    []byte         // one datagram, or several of Segment bytes each, the last one maybe shorter
	Segment int            // 0: Data is one datagram
	From    netip.AddrPort // IPv4 addresses are never mapped to IPv6; no zone
	At      int64          // kernel's time of arrival, Unix nanoseconds; 0 without Options.Timestamps
	Dropped uint32         // datagrams this socket has lost for want of buffer so far
}

// Datagrams is how many datagrams the message holds.
func (m *Message) Datagrams() int {
	if m.Segment <= 0 || m.Segment >= len(m.Data) {
		return 1
	}
	return (len(m.Data) + m.Segment - 1) / m.Segment
}

// Datagram is one of them, from 0 to Datagrams()-1. Appending to it does not reach into the next.
func (m *Message) Datagram(i int) []byte {
	if m.Segment <= 0 {
		return m.Data
	}
	start := i * m.Segment
	end := min(start+m.Segment, len(m.Data))
	return m.Data[start:end:end]
}

// MaxSegments is how many datagrams one message may carry: what every kernel with UDP_SEGMENT takes.
const MaxSegments = 64

// MaxTrain is how many bytes one message may carry: what fits into one IPv4 datagram.
const MaxTrain = 65507

// Sent says what became of the datagrams of an Outbox. Each of them is counted once.
type Sent struct {
	Datagrams int   // went out
	Refused   int   // refused by the kernel: no route, forbidden by a firewall, too long
	Full      int   // dropped because the socket's send buffer was full
	Err       error // why the last refused one was; nil if none was

	// Unsegmented are the trains, counted by Add from 0, that the kernel would not cut for their destination, and so went as
	// single datagrams. Trains to that destination will be refused again, which costs a system call each. It is valid until
	// the next Add.
	Unsegmented []int
}
