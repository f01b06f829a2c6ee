// Package quality says how good a call is for one participant.
//
// # Sound
//
// The E-model gives a rating R from 0 to 100, of which each impairment takes a part:
//
//	R  = (148 − Ie,eff) / 1.48 − Idd
//	Ie,eff = Ie + (132 − Ie) · p / (p + Bpl)
//	Idd    = 25 · ((1 + X⁶)^⅙ − 3 · (1 + (X/3)⁶)^⅙ + 2),  X = log₂(Ta / 100 ms),  0 for Ta ≤ 100 ms
//
// This is the fullband model, ITU-T G.107.2 §7.1, §7.4 and §7.5, whose scale of 148 is divided by 1.48 as for its MOS; the
// delay then takes what it does in G.107. Echo, noise and loudness are left out: browsers cancel, suppress and control them,
// and nothing tells us how well.
//
//	p    percent of the frames lost for good. With n copies of each frame in later packets (FEC: 1, RED: its distance) a loss
//	     of p is one of p^(n+1), as far as losses are independent.
//	Ie   what the codec itself takes. For Opus by bitrate, super-wideband, VBR: 38.1 at 14 kbit/s, 30.2 at 16, 23.8 at 19, 20.2
//	     at 22, 18.5 at 28, 16.8 at 31, 14.8 at 34, 12.1 at 37, 10.7 from 40 on
//	Bpl  how well it stands losses: 10.4 when they are single, 8.6 in bursts, which are the means above 20 kbit/s
//	Ta   from mouth to ear: half of both round trips, the jitter buffer (told by the client, else 20 ms and twice the
//	     jitter), and 26.5 ms in Opus with frames of 20 ms (RFC 6716 §2)
//
// The figures for Opus are those of Alahmadi, Počta and Melvin, "An Adaptive Bitrate Switching Algorithm for Speech
// Applications in Context of WebRTC", ACM TOMM 17(4), 2021. MOS = 1 + 0.035 R + 7·10⁻⁶ R (R − 60) (100 − R), G.107 annex B.
//
//	Opus at 32 kbit/s       R   MOS
//	RTT  50 ms, no loss    89   4.3
//	RTT  50 ms,  1 %       82   4.1
//	RTT  50 ms,  3 %       72   3.7
//	RTT  50 ms,  5 %       64   3.3
//	RTT  50 ms, 10 %       51   2.6
//	RTT  50 ms, 10 % FEC   82   4.1
//	RTT  50 ms, 30 %       31   1.6
//	RTT 300 ms, no loss    86   4.2
//	RTT 600 ms, no loss    70   3.6
//
// # Video
//
// V from 0 to 100 is the product of three parts, each 1 when nothing is amiss:
//
//	standing still   exp(−8 f), where f is the part of the time: 1 % takes 8 points, 5 % takes 33
//	frame rate       (1 − exp(−3.1 t^0.63)) / (1 − exp(−3.1)), where t is its part of the wanted one: a half takes 10
//	resolution       (1 − exp(−3.5 s^0.74)) / (1 − exp(−3.5)), where s is its part of the wanted pixels: a quarter takes 26
//
// The form of the last two is that of Q-STAR (Ou, Xue and Wang, IEEE Transactions on Image Processing 23(6), 2014), with
// parameters for an average content. Wanted is what is of use to the receiver and the publisher has. A video that is paused
// for want of bitrate has 0. Several videos count by the pixels they are wanted in.
//
// # Both
//
// A call is heard first and seen second: the score is the lesser of R and 50 + V/2. Several sounds count alike. Of what a
// participant sends and what he receives the worse counts.
//
//	grade       score      G.109 says of R
//	excellent   80 to 100  satisfied
//	good        70 to 80   some are not
//	fair        60 to 70   many are not
//	poor        50 to 60   nearly all are not
//	bad         below 50   not recommended
package quality

// Cause is what a score suffers from most.
type Cause uint8

// The causes.
const (
	// None: what is missing is the codec's own.
	None Cause = iota
	// Loss of sound.
	Loss
	// Delay from mouth to ear.
	Delay
	// Freeze: the picture stands still.
	Freeze
	// FrameRate is below what is wanted.
	FrameRate
	// Resolution is below what is wanted.
	Resolution
	// Paused: a video is not sent for want of bitrate.
	Paused
)

var causeNames = [...]string{"none", "loss", "delay", "freeze", "frameRate", "resolution", "paused"}

// String is the cause as the client reads it.
func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return "unknown"
}

// Direction is what a participant receives, or what it sends, over the last seconds.
type Direction struct {
	Audio []Audio
	Video []Video
}

// Score is the score of one direction and what it suffers from; false when there is nothing to score.
func (d *Direction) Score() (score float64, cause Cause, ok bool) {
	if len(d.Audio) == 0 && len(d.Video) == 0 {
		return 0, None, false
	}
	score = 100
	if len(d.Audio) > 0 {
		score, cause = scoreAudio(d.Audio)
	}
	if len(d.Video) > 0 {
		if v, c := scoreVideo(d.Video); 50+v/2 < score {
			score, cause = 50+v/2, c
		}
	}
	return score, cause, true
}

// scoreAudio is the mean of the ratings, and the cause of the worst.
func scoreAudio(all []Audio) (score float64, cause Cause) {
	worst := 101.0
	for i := range all {
		r, c := all[i].rate()
		score += r / float64(len(all))
		if r < worst {
			worst, cause = r, c
		}
	}
	return score, cause
}

// scoreVideo is the mean by wanted pixels, and the cause of what takes most of it.
func scoreVideo(all []Video) (score float64, cause Cause) {
	total, most := 0.0, 0.0
	for i := range all {
		v, c := all[i].rate()
		weight := float64(max(all[i].WantedPixels, 1))
		total += weight
		score += v * weight
		if taken := (100 - v) * weight; taken > most {
			most, cause = taken, c
		}
	}
	return score / total, cause
}
