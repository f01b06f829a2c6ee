package turn

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/parleyrtc/parley/turn/credential"
	"github.com/pion/stun/v4"
)

// kinds are the two kinds of relayed addresses, for benchmarks that compare them.
var kinds = []struct {
	name  string
	media func(b *testing.B, c *Config)
}{
	{"sockets", func(b *testing.B, c *Config) { c.Peers = []netip.AddrPort{echo(b, "127.0.0.1")} }},
	{"direct", func(_ *testing.B, c *Config) {
		c.Peers, c.Media = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:7")}, newPlane()
	}},
}

// crowd is a carrier without a network and with as many clients as one likes, each known by its port.
type crowd struct {
	*memory
	username string
	key      stun.MessageIntegrity
	nonce    stun.Nonce
}

func newCrowd(b *testing.B, media func(*testing.B, *Config)) (*crowd, Config) {
	b.Helper()
	c := Config{
		ListenUDP: []string{"127.0.0.1:0"}, Secret: secret, Relays: []Relay{{Bind: netip.MustParseAddr("127.0.0.1")}},
		QuotaPerCredential: 1 << 16, MaxAllocations: 1 << 16,
	}
	media(b, &c)
	s, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	m := &crowd{memory: newMemory(s)}
	if _, err := m.start(m); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = m.Close(); s.follow(m.carrier); s.Close() })
	username, password := credential.Mint(secret, "crowd", "s", time.Now(), time.Hour)
	m.username, m.key = username, stun.NewLongTermIntegrity(username, "parley", password)
	answer := m.ask(b, 0, stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)))
	if err := m.nonce.GetFrom(answer); err != nil {
		b.Fatal(err)
	}
	return m, c
}

// ReadFrom implements net.PacketConn. A message begins with its client's port.
func (c *crowd) ReadFrom(b []byte) (int, net.Addr, error) {
	c.settle()
	for {
		data, ok := <-c.in
		if !ok {
			c.finish()
			return 0, nil, net.ErrClosed
		}
		client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), binary.BigEndian.Uint16(data))
		if n, addr := copy(b, data[2:]), net.UDPAddrFromAddrPort(client); c.accept(b[:n], addr, client) {
			return n, addr, nil
		}
	}
}

// say sends what a client says.
func (c *crowd) say(client uint16, raw []byte) {
	c.in <- append(binary.BigEndian.AppendUint16(nil, client), raw...)
}

// ask sends a request and takes its answer.
func (c *crowd) ask(b *testing.B, client uint16, m *stun.Message) *stun.Message {
	b.Helper()
	c.say(client, m.Raw)
	answer := &stun.Message{Raw: <-c.out}
	if err := answer.Decode(); err != nil {
		b.Fatal(err)
	}
	return answer
}

// do is a signed request that must succeed.
func (c *crowd) do(b *testing.B, client uint16, method stun.Method, attrs ...stun.Setter) {
	b.Helper()
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attrs...)
	m := stun.MustBuild(append(setters, stun.NewUsername(c.username), stun.NewRealm("parley"), c.nonce, c.key)...)
	if got := c.ask(b, client, m); code(got) != 0 {
		b.Fatalf("%v: %d", method, code(got))
	}
}

// BenchmarkRelayedPacket sends a packet to the media and one back, in trains of 16, without the client's socket.
func BenchmarkRelayedPacket(b *testing.B) {
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) {
			c, cfg := newCrowd(b, kind.media)
			c.do(b, 1, stun.MethodAllocate, udpTransport)
			c.do(b, 1, stun.MethodChannelBind, channel, peerAddr(cfg.Peers[0]))
			const train = 16
			packet := append([]byte{0, 1, 0x40, 0x01, 0x04, 0xB0}, make([]byte, 1200)...)
			began := processor(b)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += train {
				for range train {
					c.in <- packet
				}
				for range train {
					<-c.out
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(processor(b)-began)/float64(b.N)/2, "cpu-ns/packet")
		})
	}
}

// BenchmarkAllocation allocates and gives back.
func BenchmarkAllocation(b *testing.B) {
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) {
			c, _ := newCrowd(b, kind.media)
			began := processor(b)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				c.do(b, 1, stun.MethodAllocate, udpTransport)
				c.do(b, 1, stun.MethodRefresh, attr{stun.AttrLifetime, make([]byte, 4)})
			}
			b.StopTimer()
			b.ReportMetric(float64(processor(b)-began)/float64(b.N), "cpu-ns/allocation")
		})
	}
}

// BenchmarkIdleAllocation tells what one allocation holds while nothing is relayed. Run it with -benchtime 1x.
func BenchmarkIdleAllocation(b *testing.B) {
	const clients = 2000
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) {
			for range b.N {
				c, cfg := newCrowd(b, kind.media)
				before := held()
				for i := range uint16(clients) {
					c.do(b, i+1, stun.MethodAllocate, udpTransport)
					c.do(b, i+1, stun.MethodChannelBind, channel, peerAddr(cfg.Peers[0]))
				}
				after := held()
				for i, unit := range []string{"heap-B", "stack-B", "goroutines", "files"} {
					b.ReportMetric((after[i]-before[i])/clients, unit)
				}
			}
		})
	}
}

// held is the memory, the goroutines and the open files of this process.
func held() [4]float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd") // None on other systems.
	return [4]float64{float64(m.HeapAlloc), float64(m.StackInuse), float64(runtime.NumGoroutine()), float64(len(files))}
}

// processor is the processor time this process has used.
func processor(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
