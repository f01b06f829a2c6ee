// Package datagram moves UDP datagrams in batches between the kernel and one thread: recvmmsg, sendmmsg, segmentation
// offload and epoll, without an allocation per packet and without Go's network poller.
//
// It serves the load generator and the floor, whose own cost must not hide what they measure. It works on Linux only;
// elsewhere Listen and NewPoller answer errors.ErrUnsupported.
package datagram

import "net/netip"

// Options of a socket; the zero value is a plain one.
type Options struct {
	Buffer     int  // bytes of kernel buffer in each direction; 0 is the system's default
	GRO        bool // datagrams of one train arrive as one message (see Message.Segment)
	Timestamps bool // Message.At says when the kernel took the datagram
}

// Message is one received message. It is valid until the next Receive of its Inbox.
type Message struct {
	Data    []byte // one datagram, or several of Segment bytes each, the last one maybe shorter
	Segment int    // 0: Data is one datagram
	From    netip.AddrPort
	At      int64  // kernel's time of arrival, Unix nanoseconds; 0 without Options.Timestamps
	Dropped uint32 // datagrams this socket has lost for want of buffer so far
}

// MaxSegments is how many datagrams one message may carry: what every kernel with UDP_SEGMENT takes.
const MaxSegments = 64

// MaxTrain is how many bytes one message may carry: what fits into one IPv4 datagram.
const MaxTrain = 65507
