package packet

// bitReader reads numbers of any width, most significant bit first. Past the end it gives zeros and remembers.
type bitReader struct {
	b    []byte
	at   int // in bits
	over bool
}

// read takes n bits, at most 32.
func (r *bitReader) read(n int) uint32 {
	if r.at+n > 8*len(r.b) {
		r.over = true
		return 0
	}
	var v uint32
	for n > 0 {
		left := 8 - r.at&7
		take := min(left, n)
		v = v<<take | uint32(r.b[r.at>>3])>>(left-take)&(1<<take-1)
		r.at += take
		n -= take
	}
	return v
}

func (r *bitReader) flag() bool { return r.read(1) != 0 }

// below reads a number less than n as the specifications' ns(n): the smaller ones take a bit less.
func (r *bitReader) below(n uint32) uint32 {
	width, short := nonSymmetric(n)
	v := r.read(width - 1)
	if v < short {
		return v
	}
	return v<<1 - short + r.read(1)
}

// nonSymmetric is how ns(n) is coded: in width bits, but the first numbers in one bit less.
func nonSymmetric(n uint32) (width int, short uint32) {
	for x := n; x != 0; x >>= 1 {
		width++
	}
	return width, 1<<width - n
}

// bitWriter appends what bitReader reads.
type bitWriter struct {
	b    []byte
	free int // bits left in the last byte
}

func (w *bitWriter) write(v uint32, n int) {
	for n > 0 {
		if w.free == 0 {
			w.b = append(w.b, 0)
			w.free = 8
		}
		take := min(w.free, n)
		n -= take
		w.free -= take
		w.b[len(w.b)-1] |= byte(v>>n&(1<<take-1)) << w.free
	}
}

func (w *bitWriter) flag(set bool) {
	if set {
		w.write(1, 1)
	} else {
		w.write(0, 1)
	}
}

func (w *bitWriter) below(v, n uint32) {
	width, short := nonSymmetric(n)
	if v < short {
		w.write(v, width-1)
		return
	}
	w.write(v+short, width)
}
