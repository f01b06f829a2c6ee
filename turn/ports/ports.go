// Package ports hands out the ports of one relayed address, the one that has rested longest first.
package ports

import "math/rand/v2"

// Ports are the ports of a range, taken and free. They have one owner and no lock.
type Ports struct {
	ring  []uint16 // The free ones from first on, in the order of their return.
	first int
	free  int
}

// New returns the ports from low to high, both included, but for those that are excluded. The first round is in random order,
// so that the addresses of a process are not those of the one before it.
func New(low, high uint16, excluded func(port uint16) bool) *Ports {
	p := &Ports{}
	for port := int(low); port <= int(high); port++ {
		if !excluded(uint16(port)) {
			p.ring = append(p.ring, uint16(port))
		}
	}
	rand.Shuffle(len(p.ring), func(i, j int) { p.ring[i], p.ring[j] = p.ring[j], p.ring[i] })
	p.free = len(p.ring)
	return p
}

// Take hands out the port that was returned longest ago; not ok: all are taken.
func (p *Ports) Take() (port uint16, ok bool) {
	if p.free == 0 {
		return 0, false
	}
	port = p.ring[p.first]
	p.first = (p.first + 1) % len(p.ring)
	p.free--
	return port, true
}

// Return gives back a port that Take handed out, once.
func (p *Ports) Return(port uint16) {
	p.ring[(p.first+p.free)%len(p.ring)] = port
	p.free++
}
