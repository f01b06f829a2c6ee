package datagram

import (
	"net/netip"
	"testing"
)

// A frame of ten packets for each of fifty subscribers.
const (
	subscribers = 50
	frame       = 10
	length      = 1100
)

// BenchmarkSend sends to sockets whose buffers are full, so that what the receivers do costs little; ns/datagram is what counts.
func BenchmarkSend(b *testing.B) {
	s := share(b, "127.0.0.1:0", Options{Buffer: 4 << 20})
	to := make([]netip.AddrPort, subscribers)
	for i := range to {
		to[i] = share(b, "127.0.0.1:0", Options{Buffer: 1}).Local()
	}
	data := make([]byte, frame*length)
	conn := s.conn
	batched := func(b *testing.B, out *Outbox, add func()) {
		for b.Loop() {
			add()
			if sent := s.Send(out); sent.Datagrams != subscribers*frame {
				b.Fatalf("%+v", sent)
			}
		}
	}
	one := func(b *testing.B, send func(packet []byte, to netip.AddrPort) error) {
		for b.Loop() {
			for _, addr := range to {
				for k := range frame {
					if err := send(data[k*length:][:length], addr); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	}
	for _, way := range []struct {
		name string
		run  func(b *testing.B)
	}{
		{"trains", func(b *testing.B) {
			out := NewOutbox(subscribers)
			batched(b, out, func() {
				for _, addr := range to {
					out.Add(addr, data, length)
				}
			})
		}},
		{"messages", func(b *testing.B) {
			out := NewOutbox(subscribers * frame)
			batched(b, out, func() {
				for _, addr := range to {
					for k := range frame {
						out.Add(addr, data[k*length:][:length], 0)
					}
				}
			})
		}},
		{"WriteTo", func(b *testing.B) { one(b, s.WriteTo) }},
		{"net.UDPConn", func(b *testing.B) {
			one(b, func(packet []byte, to netip.AddrPort) error {
				_, err := conn.WriteToUDPAddrPort(packet, to)
				return err
			})
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			way.run(b)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*subscribers*frame), "ns/datagram")
		})
	}
}

// BenchmarkReceive takes what is in the socket's buffer already.
func BenchmarkReceive(b *testing.B) {
	const datagrams = 500
	for _, way := range []struct {
		name string
		opts Options
		read func(s *Shared, in *Inbox) (int, error)
	}{
		{"batches", Options{Buffer: 4 << 20}, batch},
		{"batches with timestamps", Options{Buffer: 4 << 20, Timestamps: true}, batch},
		{"trains", Options{Buffer: 4 << 20, GRO: true}, batch},
		{"net.UDPConn", Options{Buffer: 4 << 20}, func(s *Shared, in *Inbox) (int, error) {
			_, _, err := s.conn.ReadFromUDPAddrPort(in.buffers[0])
			return 1, err
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			from, to := share(b, "127.0.0.1:0", Options{Buffer: 4 << 20}), share(b, "127.0.0.1:0", way.opts)
			size := 2048
			if way.opts.GRO {
				size = MaxTrain
			}
			in, out := NewInbox(64, size), NewOutbox(datagrams/frame)
			data := make([]byte, frame*length)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				for range datagrams / frame {
					out.Add(to.Local(), data, length)
				}
				if sent := from.Send(out); sent.Datagrams != datagrams {
					b.Fatalf("%+v", sent)
				}
				b.StartTimer()
				for got := 0; got < datagrams; {
					n, err := way.read(to, in)
					if err != nil {
						b.Fatal(err)
					}
					got += n
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*datagrams), "ns/datagram")
		})
	}
}

func batch(s *Shared, in *Inbox) (n int, err error) {
	got, err := s.Receive(in)
	for i := range got {
		n += got[i].Datagrams()
	}
	return n, err
}
