package sfu

// slotPair is an audio and a video line that carry one participant, in one MediaStream of the client.
type slotPair struct{ audio, video *line }

// clear takes both lines off what they carry. The room's lock is held.
func (s *slotPair) clear() {
	s.audio.carry(nil)
	s.video.carry(nil)
}
