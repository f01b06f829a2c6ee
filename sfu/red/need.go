package red

// MaxDistance is how many earlier frames a packet carries at most: two survive what one does not, a loss of two in a row, at three
// times the bitrate of the sound.
const MaxDistance = 2

// Where another copy is worth its bitrate, and where it is not any more. With one copy a loss of 3 % becomes one of 0.1 %, with two a
// loss of 10 % does, as far as losses are independent.
var (
	worth  = [MaxDistance]float64{0.03, 0.10}
	enough = [MaxDistance]float64{0.01, 0.06}
)

const (
	// rise and fall are the packets over which a loss is averaged when it gets worse, and when it gets better: 2 s and 20 s of one
	// sound. Bad news is to be followed soon, and good news when it lasts.
	rise, fall = 100, 1000
)

// Need follows what a receiver loses, and says how many copies it needs. The zero value needs none. It has one owner and no lock.
type Need struct {
	lost, asked float64 // what the receiver reports lost, and what it asked for again
	distance    int
}

// Lost takes how many packets were lost of so many, as the receiver reports. What came by repetition is not among them.
func (n *Need) Lost(lost, of int) { n.follow(&n.lost, lost, of) }

// Asked takes how many packets the receiver asked for again, of so many that were sent.
func (n *Need) Asked(asked, of int) { n.follow(&n.asked, asked, of) }

func (n *Need) follow(average *float64, some, of int) {
	if of <= 0 {
		return
	}
	sample := min(1, max(0, float64(some)/float64(of)))
	over := float64(fall)
	if sample > *average {
		over = rise
	}
	*average += (sample - *average) * min(1, float64(of)/over)
	for n.distance < MaxDistance && n.Loss() >= worth[n.distance] {
		n.distance++
	}
	for n.distance > 0 && n.Loss() < enough[n.distance-1] {
		n.distance--
	}
}

// Loss is the part of the packets that does not come at once, 0 to 1.
func (n *Need) Loss() float64 { return max(n.lost, n.asked) }

// Distance is how many earlier frames a packet is to carry, 0 to MaxDistance.
func (n *Need) Distance() int { return n.distance }
