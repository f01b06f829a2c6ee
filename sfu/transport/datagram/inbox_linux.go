package datagram

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// controlSize holds a timestamp, a segment size and a drop counter, each with its header.
const controlSize = 96

// Inbox receives batches. It belongs to one goroutine or thread and serves any number of sockets.
type Inbox struct {
	headers  []unix.Mmsghdr
	vectors  []unix.Iovec
	names    []name
	controls [][controlSize]byte
	buffers  [][]byte
	messages []Message
	filled   int // headers that the kernel has written to since they were prepared
}

// NewInbox makes an inbox for n messages of at most size bytes each, longer ones are cut off; with GRO a message may have
// MaxTrain bytes.
func NewInbox(n, size int) *Inbox {
	in := &Inbox{
		headers: make([]unix.Mmsghdr, n), vectors: make([]unix.Iovec, n), names: make([]name, n),
		controls: make([][controlSize]byte, n), buffers: make([][]byte, n), messages: make([]Message, n), filled: n,
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
	for {
		n, errno := in.take(s.fd)
		switch {
		case errno == 0:
			return in.parse(n), nil
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

// take asks the kernel for what waits, and waits for nothing.
func (in *Inbox) take(fd int) (int, unix.Errno) {
	for i := range in.headers[:in.filled] {
		h := &in.headers[i].Hdr
		h.Namelen, h.Flags = unix.SizeofSockaddrInet6, 0
		h.SetControllen(controlSize)
	}
	in.filled = 0
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&in.headers[0])), uintptr(len(in.headers)),
			unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			in.filled = int(n)
			return in.filled, 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

func (in *Inbox) parse(n int) []Message {
	for i := range n {
		h := &in.headers[i]
		m := &in.messages[i]
		*m = Message{Data: in.buffers[i][:h.Len], From: in.names[i].get()}
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
