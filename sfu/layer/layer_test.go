package layer

import "testing"

// show lets s choose a picture's frames and the decoder take them; it returns the highest layer forwarded, and whether any.
func show(d *decoder, s *Selector, frames []frame) (Layer, bool) {
	var top Layer
	any := false
	for i := range frames {
		f := &frames[i]
		c := s.Choose(&f.Packet)
		if c.Verdict != Forward && c.Verdict != Begin {
			continue
		}
		d.take(f, c.Verdict)
		any = true
		top = Layer{f.Encoding, max(top.Spatial, f.Spatial), max(top.Temporal, f.Temporal)}
	}
	return top, any
}

// run shows n pictures, none a keyframe, and returns the highest layer of them all.
func run(d *decoder, s *Selector, e encoder, n int) (top Layer, shown int) {
	for range n {
		l, ok := show(d, s, e.picture(false))
		if ok {
			shown++
			top = Layer{l.Encoding, max(top.Spatial, l.Spatial), max(top.Temporal, l.Temporal)}
		}
	}
	return top, shown
}

func wants(t *testing.T, s *Selector, encoding uint8, want bool) {
	t.Helper()
	if e, ok := s.Wants(); ok != want || ok && e != encoding {
		t.Fatalf("wants a keyframe of %d: %v, want %d %v", e, ok, encoding, want)
	}
}

func TestNothingIsForwardedUnwanted(t *testing.T) {
	var s Selector
	e := newVP8(0, 0)
	if _, ok := show(&decoder{t: t}, &s, e.picture(true)); ok {
		t.Error("forwarded")
	}
	wants(t, &s, 0, false)
}

func TestAnotherEncodingBeginsAtItsKeyframeAndTheOldOneGoesOnUntilThen(t *testing.T) {
	for _, timestamp := range []uint32{0, 0xFFFFFFFF - 9000} {
		small, large := newVP8(0, timestamp), newVP8(1, timestamp+77)
		d := &decoder{t: t}
		var s Selector
		s.Set(Layer{Encoding: 0, Temporal: All}, false)
		wants(t, &s, 0, true)
		if c := s.Choose(&small.picture(false)[0].Packet); c.Verdict != Waiting {
			t.Fatalf("%v", c.Verdict)
		}
		show(d, &s, small.picture(true))
		wants(t, &s, 0, false)
		s.Set(Layer{Encoding: 1, Temporal: All}, true)
		wants(t, &s, 1, true)
		for range 20 {
			if l, ok := show(d, &s, small.picture(false)); !ok || l.Encoding != 0 {
				t.Fatal("the old encoding stopped before the new one began")
			}
			if _, ok := show(d, &s, large.picture(false)); ok {
				t.Fatal("the new encoding began without a keyframe")
			}
		}
		if l, ok := show(d, &s, large.picture(true)); !ok || l.Encoding != 1 {
			t.Fatal("the keyframe was not taken")
		}
		wants(t, &s, 1, false)
		if _, ok := show(d, &s, small.picture(true)); ok {
			t.Fatal("the old encoding goes on")
		}
		s.Set(Layer{Encoding: 0}, true)
		if l, n := run(d, &s, large, 16); l.Temporal != 0 || n != 4 {
			t.Errorf("waits to become smaller at %+v with %d of 16 pictures", l, n)
		}
		wants(t, &s, 0, true)
		show(d, &s, small.picture(true))
		if l, ok := s.Current(); !ok || l != (Layer{}) {
			t.Errorf("%+v %v", l, ok)
		}
	}
}

func TestWithNoPictureYetASmallerOneWillDo(t *testing.T) {
	small, large := newVP8(0, 0), newVP8(2, 0)
	d := &decoder{t: t}
	var s Selector
	s.Set(Layer{Encoding: 2, Temporal: All}, false)
	if l, ok := show(d, &s, small.picture(true)); !ok || l.Encoding != 0 {
		t.Fatal("no picture, although there was one")
	}
	wants(t, &s, 2, true)
	show(d, &s, large.picture(true))
	if l, _ := s.Current(); l.Encoding != 2 {
		t.Fatalf("%+v", l)
	}
	s.Restart()
	wants(t, &s, 2, true)
	if _, n := run(d, &s, large, 4); n != 0 {
		t.Error("goes on without a keyframe")
	}
	show(d, &s, large.picture(true))
	wants(t, &s, 0, false)
	s.Pause()
	wants(t, &s, 0, false)
	if _, n := run(d, &s, large, 8); n != 0 {
		t.Error("paused, and goes on")
	}
	s.Set(Layer{Encoding: 0, Temporal: All}, false)
	if _, ok := show(d, &s, large.picture(true)); ok {
		t.Error("began with more than was wanted")
	}
}

func TestTemporalLayersOfVP8GoDownAtOnceAndUpAtSyncPoints(t *testing.T) {
	e := newVP8(0, 0xFFFFFFF0)
	d := &decoder{t: t}
	var s Selector
	s.Set(Layer{Temporal: All}, false)
	show(d, &s, e.picture(true))
	if _, n := run(d, &s, e, 15); n != 15 {
		t.Fatalf("%d of 15 pictures of all layers", n)
	}
	s.Set(Layer{Temporal: 0}, false)
	if l, n := run(d, &s, e, 16); n != 4 || l.Temporal != 0 {
		t.Fatalf("%d of 16 pictures, up to %+v", n, l)
	}
	s.Set(Layer{Temporal: 1}, false)
	if l, n := run(d, &s, e, 16); l.Temporal != 1 || n != 8 {
		t.Fatalf("%d of 16 pictures, up to %+v", n, l)
	}
	s.Set(Layer{Temporal: 2}, false)
	run(d, &s, e, 8)
	if _, n := run(d, &s, e, 16); n != 16 {
		t.Fatalf("%d of 16 pictures", n)
	}
	wants(t, &s, 0, false)
}

func TestASliceOfAPictureThatComesLateSharesItsFate(t *testing.T) {
	e := newVP8(0, 0)
	d := &decoder{t: t}
	var s Selector
	s.Set(Layer{Temporal: All}, false)
	show(d, &s, e.picture(true))
	before := e.picture(false) // layer 2
	s.Set(Layer{Temporal: 0}, false)
	run(d, &s, e, 3)
	if c := s.Choose(&before[0].Packet); c.Verdict != Forward {
		t.Errorf("from before the change: %v", c.Verdict)
	}
	after := e.picture(false) // layer 0
	above := e.picture(false) // layer 2
	show(d, &s, after)
	s.Set(Layer{Temporal: All}, false)
	run(d, &s, e, 16)
	if c := s.Choose(&above[0].Packet); c.Verdict != Skip {
		t.Errorf("left out when its time was: %v", c.Verdict)
	}
}

func TestSpatialLayersOfVP9(t *testing.T) {
	for _, key := range []bool{false, true} {
		e := &vp9{key: key}
		d := &decoder{t: t}
		var s Selector
		s.Set(Layer{Spatial: 1, Temporal: All}, false)
		if l, _ := show(d, &s, e.picture(true)); l.Spatial != 1 {
			t.Fatalf("%+v", l)
		}
		wants(t, &s, 0, false)
		s.Set(Layer{Spatial: All, Temporal: All}, false)
		if l, n := run(d, &s, e, 8); l.Spatial != 1 || n != 8 {
			t.Fatalf("up without a sync point: %+v, %d", l, n)
		}
		wants(t, &s, 0, true)
		if l, _ := show(d, &s, e.picture(true)); l.Spatial != 2 {
			t.Fatalf("%+v", l)
		}
		wants(t, &s, 0, false)
		s.Set(Layer{Spatial: 0, Temporal: 0}, false)
		if l, n := run(d, &s, e, 8); l.Spatial != 0 || l.Temporal != 0 || n != 2 {
			t.Fatalf("down is not at once: %+v, %d", l, n)
		}
		s.Set(Layer{Spatial: 0, Temporal: All}, false)
		run(d, &s, e, 4)
		if l, n := run(d, &s, e, 8); l.Temporal != 2 || n != 8 || l.Spatial != 0 {
			t.Fatalf("%+v, %d", l, n)
		}
	}
}

func TestTheMarkerMovesToTheHighestLayerForwarded(t *testing.T) {
	plain := &vp9{}
	dd := &described{t: t, kind: l2t2}
	for _, e := range []encoder{plain, dd} {
		var s Selector
		s.Set(Layer{Spatial: 0, Temporal: All}, false)
		for i := range 10 {
			for _, f := range e.picture(i == 0) {
				c := s.Choose(&f.Packet)
				if forwarded := c.Verdict == Forward || c.Verdict == Begin; forwarded != (f.Spatial == 0) || forwarded && !c.Marker {
					t.Fatalf("%T, layer %d: %+v", e, f.Spatial, c)
				}
			}
		}
		s.Set(Layer{Spatial: All, Temporal: All}, false)
		for _, f := range e.picture(true) {
			if c := s.Choose(&f.Packet); c.Marker != f.last && f.Spatial > 0 {
				t.Fatalf("%T, layer %d: %+v", e, f.Spatial, c)
			}
		}
		for _, f := range e.picture(false) {
			if c := s.Choose(&f.Packet); c.Marker != f.last {
				t.Fatalf("%T, layer %d: %+v", e, f.Spatial, c)
			}
		}
	}
}

func TestDecodeTargetsOfTime(t *testing.T) {
	e := &described{t: t, kind: l1t3, number: 0xFFF0}
	d := &decoder{t: t}
	var s Selector
	s.Set(Layer{Temporal: 0}, false)
	if c := s.Choose(&e.picture(true)[0].Packet); c.Verdict != Begin || !c.Announce || c.Active != 0b100 {
		t.Fatalf("%+v", c)
	}
	d.begun, d.has = true, map[int]bool{0xFFF0: true}
	if l, n := run(d, &s, e, 8); n != 2 || l.Temporal != 0 {
		t.Fatalf("%d of 8, %+v", n, l)
	}
	s.Set(Layer{Temporal: All}, false)
	if l, n := run(d, &s, e, 4); n < 1 || l.Temporal > 2 {
		t.Fatalf("%d, %+v", n, l)
	}
	if _, n := run(d, &s, e, 8); n != 8 {
		t.Fatalf("%d of 8", n)
	}
	c := s.Choose(&e.picture(false)[0].Packet)
	if !c.Announce || c.Active != 0b111 {
		t.Errorf("the receiver is not told that it gets all again: %+v", c)
	}
	run(d, &s, e, announced)
	if c := s.Choose(&e.picture(false)[0].Packet); c.Announce {
		t.Error("told for ever")
	}
	wants(t, &s, 0, false)
}

func TestDecodeTargetsOfSize(t *testing.T) {
	for name, kind := range map[string]scalability{"full": l2t2, "key": l2t2Key} {
		e := &described{t: t, kind: kind, number: 0xFFFF}
		d := &decoder{t: t}
		var s Selector
		s.Set(Layer{Spatial: 0, Temporal: All}, false)
		show(d, &s, e.picture(true))
		run(d, &s, e, 6)
		s.Set(Layer{Spatial: 1, Temporal: All}, false)
		if l, n := run(d, &s, e, 6); l.Spatial != 0 || n != 6 {
			t.Fatalf("%s: %+v", name, l)
		}
		wants(t, &s, 0, true)
		show(d, &s, e.picture(true))
		if l, n := run(d, &s, e, 6); l.Spatial != 1 || l.Temporal != 1 || n != 6 {
			t.Fatalf("%s: %+v", name, l)
		}
		wants(t, &s, 0, false)
		s.Set(Layer{Spatial: 0, Temporal: All}, false)
		l, n := run(d, &s, e, 6)
		if n != 6 {
			t.Fatalf("%s: it froze, %d of 6", name, n)
		}
		if kind.structure == l2t2.structure {
			if l.Spatial != 0 {
				t.Fatalf("%s: not down at once: %+v", name, l)
			}
			wants(t, &s, 0, false)
			continue
		}
		// What the small size refers to was left out: it needs a keyframe.
		wants(t, &s, 0, true)
		s.Set(Layer{Spatial: 0, Temporal: All}, true)
		if l, n := run(d, &s, e, 6); n != 3 || l.Temporal != 0 || l.Spatial != 1 {
			t.Fatalf("%s: in need it falls to %+v, %d of 6", name, l, n)
		}
		show(d, &s, e.picture(true))
		if l, n := run(d, &s, e, 6); n != 6 || l.Spatial != 0 || l.Temporal != 1 {
			t.Fatalf("%s: %+v, %d of 6", name, l, n)
		}
	}
}

func TestASizeThatTheSenderStopsIsLeft(t *testing.T) {
	e := &described{t: t, kind: l2t2}
	d := &decoder{t: t}
	var s Selector
	s.Set(Layer{Spatial: All, Temporal: All}, false)
	show(d, &s, e.picture(true))
	run(d, &s, e, 4)
	frames := e.picture(false)
	f := frames[0]
	f.Dependency.HasActive, f.Dependency.Active = true, 0b0011
	show(d, &s, []frame{f})
	if l, ok := s.Current(); !ok || l.Spatial != 0 {
		t.Errorf("%+v", l)
	}
	wants(t, &s, 0, false)
}
