package transport

import (
	"net"
	"sync"
	"time"
)

// lingerFor is how long the connections that a client was on before an ICE restart stay open after it has taken another: what was
// on its way arrives.
const lingerFor = 2 * time.Second

// linger keeps a client's TCP connections open while ICE restarts. pion has its mux close them at once, and over UDP media goes on
// over the last pair until there is another one. Guarded by tcpFace.mu, but for readers.
type linger struct {
	carries bool   // what we send goes over a connection
	ufrag   string // the newest
	asked   []ours

	kept    string // the fragment whose connections linger; empty: none do
	conns   []net.PacketConn
	ending  *time.Timer // nil: not yet
	over    bool
	readers sync.WaitGroup
}

// ours is one of our addresses, as pion asks for it.
type ours struct {
	isIPv6 bool
	ip     net.IP
}

// note remembers what the agent has asked for.
func (l *linger) note(ufrag string, isIPv6 bool, ip net.IP) {
	if l.ufrag != ufrag {
		l.ufrag, l.asked = ufrag, nil
	}
	l.asked = append(l.asked, ours{isIPv6, ip})
}

// RemoveConnByUfrag closes the connections of a fragment, unless the client is on one of them: then they linger. Of two restarts
// without a pair in between, the client is on what was there before the first.
func (f *tcpFace) RemoveConnByUfrag(ufrag string) {
	f.mu.Lock()
	if f.linger.ending != nil {
		f.mu.Unlock()
		f.release()
		f.mu.Lock()
	}
	l := &f.linger
	if l.over || !l.carries || l.kept != "" || l.ufrag != ufrag {
		f.mu.Unlock()
		f.listeners.RemoveConnByUfrag(ufrag)
		return
	}
	defer f.mu.Unlock()
	l.kept = ufrag
	for _, at := range l.asked {
		conns, err := f.listeners.GetAllConns(ufrag, at.isIPv6, at.ip)
		if err != nil {
			continue // the listener is closed
		}
		for _, c := range conns { // they stay open as long as somebody has asked for them and not closed them
			c := f.wrap(c)
			l.conns = append(l.conns, c)
			l.readers.Go(func() { drain(c) })
		}
	}
}

// drain hands up the media of a connection that no agent reads. Checks of before the restart are nobody's.
func drain(c *tcpConn) {
	b := make([]byte, maxDatagram)
	for {
		if _, _, err := c.ReadFrom(b); err != nil {
			return
		}
	}
}

// carry notes that there is another way, over a connection or not. What lingers does so a little longer.
func (f *tcpFace) carry(overTCP bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.linger.carries = overTCP
	if f.linger.kept != "" && f.linger.ending == nil && !f.linger.over {
		f.linger.ending = time.AfterFunc(lingerFor, f.release)
	}
}

// release closes what lingers.
func (f *tcpFace) release() {
	f.mu.Lock()
	l := &f.linger
	ufrag, conns := l.kept, l.conns
	if l.ending != nil {
		l.ending.Stop()
	}
	l.kept, l.conns, l.ending = "", nil, nil
	f.mu.Unlock()
	if ufrag != "" {
		f.listeners.RemoveConnByUfrag(ufrag)
	}
	for _, c := range conns {
		_ = c.Close() // it never fails
	}
}

// end closes what lingers, for good.
func (f *tcpFace) end() {
	f.mu.Lock()
	f.linger.over = true
	f.mu.Unlock()
	f.release()
}
