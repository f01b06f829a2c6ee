package datagram

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Outbox collects messages and sends them with as few system calls as it takes. It belongs to one goroutine or thread at a
// time and serves any number of sockets.
type Outbox struct {
	// set at construction
	headers  []unix.Mmsghdr
	vectors  []unix.Iovec
	names    []name
	controls [][]byte         // a segment size with its header, for a train
	singles  []unix.Mmsghdr   // the datagrams of one train that goes without segmentation
	parts    []unix.Iovec     // and where their bytes are
	sendmmsg sendmmsg         // the system call, but in tests
	post     func(fd uintptr) // send as RawConn.Control takes it; made once, because making it allocates

	n           int // messages that wait
	datagrams   int // and what they come to
	unsegmented []int
	sent        Sent // the result of post
}

// sendmmsg hands messages to the kernel and returns how many it took. It refuses only the first it does not take; the error
// says why, and is zero if it took any.
type sendmmsg func(fd int, messages []unix.Mmsghdr) (int, unix.Errno)

// NewOutbox makes an outbox for n messages.
func NewOutbox(n int) *Outbox {
	o := &Outbox{
		headers: make([]unix.Mmsghdr, n), vectors: make([]unix.Iovec, n), names: make([]name, n), controls: make([][]byte, n),
		singles: make([]unix.Mmsghdr, MaxSegments), parts: make([]unix.Iovec, MaxSegments), sendmmsg: toKernel,
	}
	o.post = func(fd uintptr) { o.sent = o.send(int(fd)) }
	for i := range n {
		o.controls[i] = make([]byte, unix.CmsgSpace(2))
		c := (*unix.Cmsghdr)(unsafe.Pointer(&o.controls[i][0]))
		c.Level, c.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
		c.SetLen(unix.CmsgLen(2))
		h := &o.headers[i].Hdr
		h.Name, h.Iov = &o.names[i][0], &o.vectors[i]
		h.SetIovlen(1)
	}
	for i := range o.singles {
		h := &o.singles[i].Hdr
		h.Iov = &o.parts[i]
		h.SetIovlen(1)
	}
	return o
}

// Len is how many messages wait; Full says that they must be sent before the next Add.
func (o *Outbox) Len() int { return o.n }

// Full says that no message fits in any more.
func (o *Outbox) Full() bool { return o.n == len(o.headers) }

// Add queues a message, which must stay as it is until it is sent. A segment above zero makes it a train: the kernel cuts it
// into datagrams of that size, the last one maybe shorter; at most MaxSegments of them and MaxTrain bytes. Trains want a socket
// that Segments, and SegmentationTrusted.
func (o *Outbox) Add(to netip.AddrPort, data []byte, segment int) {
	i := o.n
	o.n++
	o.vectors[i].Base = unsafe.SliceData(data)
	o.vectors[i].SetLen(len(data))
	h := &o.headers[i].Hdr
	h.Namelen = o.names[i].put(to)
	if segment > 0 && segment < len(data) {
		o.datagrams += (len(data) + segment - 1) / segment
		binary.NativeEndian.PutUint16(o.controls[i][unix.CmsgLen(0):], uint16(segment))
		h.Control = &o.controls[i][0]
		h.SetControllen(len(o.controls[i]))
		return
	}
	o.datagrams++
	h.Control = nil
	h.SetControllen(0)
}

// Flush sends all through a Socket and empties the outbox. It waits for nothing, as Shared.Send; lost is how many datagrams
// were refused or found the buffer full.
func (o *Outbox) Flush(s *Socket) (lost int) {
	sent := o.send(s.fd)
	return sent.Refused + sent.Full
}

// send hands over all messages. The kernel stops at a message that it refuses: that one is lost, or goes again as single
// datagrams, and the next call begins behind it. So there are at most as many calls as messages, and three for each train
// that cannot be cut.
//
// A full buffer drops the rest. To wait would hold up every other receiver for one socket, and what comes late is worth as
// little to a call as what is lost; a receiver asks again for what it misses. Nothing of the rest would fit either, because
// the kernel compares the buffer's use with its limit before it looks at the length.
func (o *Outbox) send(fd int) Sent {
	sent := Sent{Datagrams: o.datagrams}
	o.unsegmented = o.unsegmented[:0]
	for i := 0; i < o.n; i++ {
		n, errno := o.push(fd, o.headers[i:o.n])
		i += n
		switch {
		case i == o.n:
		case full(errno):
			for ; i < o.n; i++ {
				sent.Full += o.count(i)
			}
		case o.headers[i].Hdr.Control != nil && uncut(errno):
			o.resend(fd, i, errno, &sent)
		default:
			sent.Refused += o.count(i)
			sent.Err = errno
		}
	}
	sent.Datagrams -= sent.Refused + sent.Full
	sent.Unsegmented = o.unsegmented
	o.n, o.datagrams = 0, 0
	return sent
}

// push hands over messages until one is refused, and returns how many went and why the next one did not.
func (o *Outbox) push(fd int, messages []unix.Mmsghdr) (done int, errno unix.Errno) {
	for done < len(messages) {
		n, errno := o.sendmmsg(fd, messages[done:])
		if n <= 0 {
			return done, errno
		}
		done += n
	}
	return done, 0
}

// resend sends a refused train as single datagrams. They have one destination and none is longer than the first, so when one
// of them is refused, the rest is given up.
func (o *Outbox) resend(fd, train int, why unix.Errno, sent *Sent) {
	h := &o.headers[train].Hdr
	data := unsafe.Slice(o.vectors[train].Base, o.vectors[train].Len)
	segment := o.segment(train)
	k := 0
	for ; len(data) > 0 && k < len(o.singles); k++ {
		size := min(segment, len(data))
		o.parts[k].Base = unsafe.SliceData(data)
		o.parts[k].SetLen(size)
		o.singles[k].Hdr.Name, o.singles[k].Hdr.Namelen = h.Name, h.Namelen
		data = data[size:]
	}
	n, errno := o.push(fd, o.singles[:k])
	if n > 0 {
		o.unsegmented = append(o.unsegmented, train)
	}
	switch left := o.count(train) - n; {
	case left == 0:
	case full(errno):
		sent.Full += left
	default:
		sent.Refused += left
		sent.Err = cmp.Or(errno, why) // none but the train's own, if it had more than MaxSegments
	}
}

// segment is the length that train i is to be cut to.
func (o *Outbox) segment(i int) int {
	return int(binary.NativeEndian.Uint16(o.controls[i][unix.CmsgLen(0):]))
}

// count is how many datagrams message i comes to.
func (o *Outbox) count(i int) int {
	if o.headers[i].Hdr.Control == nil {
		return 1
	}
	segment := o.segment(i)
	return (int(o.vectors[i].Len) + segment - 1) / segment
}

// full says that a send failed for want of memory: the socket's, or the kernel's.
func full(errno unix.Errno) bool {
	return errno == unix.EAGAIN || errno == unix.ENOBUFS || errno == unix.ENOMEM
}

// uncut says that a train may have been refused because it is one: the device has no checksums, or IPsec is in the way (EIO), or
// the datagrams are longer than the path takes in one piece (EINVAL, newer kernels EMSGSIZE).
func uncut(errno unix.Errno) bool {
	return errno == unix.EIO || errno == unix.EINVAL || errno == unix.EMSGSIZE
}

// toKernel is sendmmsg. Go learns of the call (Syscall, not RawSyscall), because a batch of trains takes long enough to keep
// its garbage collector waiting.
func toKernel(fd int, messages []unix.Mmsghdr) (int, unix.Errno) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&messages[0])), uintptr(len(messages)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}
