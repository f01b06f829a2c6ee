package floor

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

const (
	// receiveBatch is how many packets are taken at once: several frames.
	receiveBatch = 64
	// maxPacket is more than any Ethernet frame holds.
	maxPacket = 2048
	// arenaSize bounds what is sealed before it is sent: it stays in the second-level cache.
	arenaSize = 256 << 10
	// sendBatch is how many trains go with one system call.
	sendBatch = 64
	// socketBuffer takes a whole burst in either direction.
	socketBuffer = 4 << 20
)

// forwarder is the whole floor: one thread, one socket.
type forwarder struct {
	socket     *datagram.Socket
	publishers map[uint32]*publisher
	rooms      []room
	touched    []int // rooms that have packets in this batch
	inbox      *datagram.Inbox
	outbox     *datagram.Outbox
	arena      []byte
}

type publisher struct {
	cipher *Cipher
	room   int
}

// room has its subscribers and what has come for them in this batch.
type room struct {
	subscribers []subscriber
	packets     []plain
}

type subscriber struct {
	addr   netip.AddrPort
	cipher *Cipher
}

type plain struct{ header, payload []byte }

func open(cfg Config) (*forwarder, error) {
	f := &forwarder{
		publishers: map[uint32]*publisher{},
		inbox:      datagram.NewInbox(receiveBatch, maxPacket), outbox: datagram.NewOutbox(sendBatch),
		arena: make([]byte, 0, arenaSize),
	}
	for _, p := range cfg.Publishers {
		c, err := NewCipher(p.Key)
		if err != nil {
			return nil, err
		}
		f.publishers[p.SSRC] = &publisher{cipher: c, room: p.Room}
		f.grow(p.Room)
	}
	for _, s := range cfg.Subscribers {
		c, err := NewCipher(s.Key)
		if err != nil {
			return nil, err
		}
		f.grow(s.Room)
		f.rooms[s.Room].subscribers = append(f.rooms[s.Room].subscribers, subscriber{s.Addr, c})
	}
	var err error
	if f.socket, err = datagram.Listen(cfg.Listen, datagram.Options{Buffer: socketBuffer}); err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	return f, nil
}

func (f *forwarder) grow(n int) {
	for len(f.rooms) <= n {
		f.rooms = append(f.rooms, room{})
	}
}

// run forwards batch after batch; it ends with an error of the socket.
func (f *forwarder) run() error {
	for {
		batch, err := f.inbox.Receive(f.socket, true)
		if err != nil {
			return err
		}
		f.forward(batch)
	}
}

func (f *forwarder) forward(batch []datagram.Message) {
	for _, m := range batch {
		if len(m.Data) < 12 {
			continue
		}
		p := f.publishers[binary.BigEndian.Uint32(m.Data[8:])]
		if p == nil {
			continue
		}
		header, payload, err := p.cipher.Open(m.Data)
		if err != nil {
			continue
		}
		r := &f.rooms[p.room]
		if len(r.packets) == 0 {
			f.touched = append(f.touched, p.room)
		}
		r.packets = append(r.packets, plain{header, payload})
	}
	for _, i := range f.touched {
		r := &f.rooms[i]
		even(r.packets)
		for j := range r.subscribers {
			f.send(&r.subscribers[j], r.packets)
		}
		r.packets = r.packets[:0]
	}
	f.touched = f.touched[:0]
	f.flush()
}

// send seals packets for one subscriber into trains: as many of one length as there are in a row, and a shorter one last.
func (f *forwarder) send(s *subscriber, packets []plain) {
	for len(packets) > 0 {
		segment := packets[0].sealed()
		if f.outbox.Full() || len(f.arena)+min(len(packets), datagram.MaxSegments)*segment > cap(f.arena) {
			f.flush()
		}
		start := len(f.arena)
		n := 0
		for n < len(packets) && n < datagram.MaxSegments {
			size := packets[n].sealed()
			if size > segment || len(f.arena)+size-start > datagram.MaxTrain {
				break
			}
			f.arena = s.cipher.Seal(f.arena, packets[n].header, packets[n].payload)
			n++
			if size < segment {
				break
			}
		}
		f.outbox.Add(s.addr, f.arena[start:], segment)
		packets = packets[n:]
	}
}

// even pads packets that are a byte shorter than the longest, as those of encoders are, so that a frame leaves as one train. It is
// done once for all subscribers: nobody can do it for less.
func even(packets []plain) {
	longest := 0
	for _, p := range packets {
		longest = max(longest, p.sealed())
	}
	for i := range packets {
		if p := &packets[i]; p.sealed() == longest-1 && p.header[0]&0x20 == 0 {
			p.header[0] |= 0x20              // RFC 3550 §5.1: the last byte says how much padding there is
			p.payload = append(p.payload, 1) // where the tag was
		}
	}
}

func (p plain) sealed() int { return len(p.header) + len(p.payload) + Overhead }

func (f *forwarder) flush() {
	f.outbox.Flush(f.socket)
	f.arena = f.arena[:0]
}
