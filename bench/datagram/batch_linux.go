package datagram

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// controlSize holds a timestamp, a segment size and a drop counter, each with its header.
const controlSize = 96

// Inbox receives batches. It belongs to one thread and serves any number of sockets.
type Inbox struct {
	headers  []unix.Mmsghdr
	vectors  []unix.Iovec
	names    [][unix.SizeofSockaddrInet6]byte
	controls [][controlSize]byte
	buffers  [][]byte
	messages []Message
}

// NewInbox makes an inbox for n messages of at most size bytes each; with GRO a message may have MaxTrain bytes.
func NewInbox(n, size int) *Inbox {
	in := &Inbox{
		headers: make([]unix.Mmsghdr, n), vectors: make([]unix.Iovec, n), names: make([][unix.SizeofSockaddrInet6]byte, n),
		controls: make([][controlSize]byte, n), buffers: make([][]byte, n), messages: make([]Message, n),
	}
	for i := range n {
		in.buffers[i] = make([]byte, size)
		in.vectors[i].Base = &in.buffers[i][0]
		in.vectors[i].SetLen(size)
		h := &in.headers[i].Hdr
		h.Name, h.Iov, h.Control = &in.names[i][0], &in.vectors[i], &in.controls[i][0]
		h.SetIovlen(1)
	}
	return in
}

// Receive takes what waits at the socket, up to the inbox's size. With wait it blocks until there is something; the
// socket's thread then does nothing else. Nothing there is an empty result.
func (in *Inbox) Receive(s *Socket, wait bool) ([]Message, error) {
	for i := range in.headers {
		h := &in.headers[i].Hdr
		h.Namelen, h.Flags = unix.SizeofSockaddrInet6, 0
		h.SetControllen(controlSize)
	}
	flags := uintptr(unix.MSG_DONTWAIT)
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&in.headers[0])), uintptr(len(in.headers)), flags, 0, 0)
		switch {
		case errno == 0:
			return in.parse(int(n)), nil
		case errno == unix.EINTR:
		case errno == unix.EAGAIN && wait:
			fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
			if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
				return nil, err
			}
		case errno == unix.EAGAIN:
			return nil, nil
		default:
			return nil, errno
		}
	}
}

func (in *Inbox) parse(n int) []Message {
	for i := range n {
		h := &in.headers[i]
		m := &in.messages[i]
		*m = Message{Data: in.buffers[i][:h.Len], From: readAddr(&in.names[i])}
		m.control(in.controls[i][:h.Hdr.Controllen])
	}
	return in.messages[:n]
}

// control reads the control messages; their fields are in the machine's own layout (cmsg(3)).
func (m *Message) control(b []byte) {
	for len(b) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		if int(h.Len) < unix.SizeofCmsghdr || int(h.Len) > len(b) {
			return
		}
		data := b[unix.CmsgLen(0):int(h.Len)]
		switch {
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			m.Segment = int(int32(binary.NativeEndian.Uint32(data)))
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			m.At = (*unix.Timespec)(unsafe.Pointer(&data[0])).Nano()
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			m.Dropped = binary.NativeEndian.Uint32(data)
		}
		b = b[min(len(b), unix.CmsgSpace(len(data))):]
	}
}

// Outbox collects messages and sends them with as few system calls as it takes. It belongs to one thread.
type Outbox struct {
	headers  []unix.Mmsghdr
	vectors  []unix.Iovec
	names    [][unix.SizeofSockaddrInet6]byte
	controls [][]byte
	n        int
}

// NewOutbox makes an outbox for n messages.
func NewOutbox(n int) *Outbox {
	out := &Outbox{
		headers: make([]unix.Mmsghdr, n), vectors: make([]unix.Iovec, n), names: make([][unix.SizeofSockaddrInet6]byte, n),
		controls: make([][]byte, n),
	}
	for i := range n {
		out.controls[i] = make([]byte, unix.CmsgSpace(2))
		c := (*unix.Cmsghdr)(unsafe.Pointer(&out.controls[i][0]))
		c.Level, c.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
		c.SetLen(unix.CmsgLen(2))
		h := &out.headers[i].Hdr
		h.Iov = &out.vectors[i]
		h.SetIovlen(1)
	}
	return out
}

// Len is how many messages wait; Full says that Flush must come before the next Add.
func (o *Outbox) Len() int { return o.n }

// Full says that no message fits in any more.
func (o *Outbox) Full() bool { return o.n == len(o.headers) }

// Add queues a message, which must stay as it is until Flush. A segment above zero makes the kernel cut it into datagrams of
// that size; at most MaxSegments of them and MaxTrain bytes.
func (o *Outbox) Add(to netip.AddrPort, data []byte, segment int) {
	i := o.n
	o.n++
	o.vectors[i].Base = unsafe.SliceData(data)
	o.vectors[i].SetLen(len(data))
	h := &o.headers[i].Hdr
	h.Name = &o.names[i][0]
	h.Namelen = uint32(putAddr(&o.names[i], to))
	if segment > 0 && segment < len(data) {
		binary.NativeEndian.PutUint16(o.controls[i][unix.CmsgLen(0):], uint16(segment))
		h.Control = &o.controls[i][0]
		h.SetControllen(len(o.controls[i]))
		return
	}
	h.Control = nil
	h.SetControllen(0)
}

// Flush sends all and empties the outbox. It waits for nothing: what the kernel refuses is skipped and counted.
func (o *Outbox) Flush(s *Socket) (refused int) {
	for from := 0; from < o.n; {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&o.headers[from])), uintptr(o.n-from),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			from += int(n)
		case unix.EINTR:
		default:
			refused++
			from++
		}
	}
	o.n = 0
	return refused
}
