package sfu

import (
	"testing"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/transport"
)

// onBothPaths runs a story on either media path.
func onBothPaths(t *testing.T, story func(t *testing.T, b *bench)) {
	for _, path := range []transport.Path{transport.FastPath, transport.PionPath} {
		t.Run(string(path), func(t *testing.T) {
			if path == transport.FastPath {
				onlyFast(t)
			}
			story(t, newBench(t, func(c *Config) { c.MediaPath = path }))
		})
	}
}

// A publication in three encodings is one stream to whoever receives it: the best that is wanted, and another one only from a
// keyframe on. Numbers, pictures and times go on.
func TestAReceiverSeesOneStreamThroughChangesOfSize(t *testing.T) {
	onBothPaths(t, func(t *testing.T, b *bench) {
		s := newStudio(t, b, "room", "alice", "q", "h", "f")
		v := &viewer{c: newClient(b, "room", "bob", clientOptions{silent: true})}
		s.run()
		v.until("f")
		for _, step := range []struct {
			encoding uint8
			rid      string
		}{{0, "q"}, {2, "f"}, {1, "h"}, {0, "q"}, {1, "h"}, {2, "f"}} {
			v.want(layer.Layer{Encoding: step.encoding, Spatial: layer.All, Temporal: layer.All}, false)
			v.until(step.rid)
			for range 40 {
				v.next()
			}
			if v.rid != step.rid {
				t.Fatalf("%s comes instead of %s", v.rid, step.rid)
			}
		}
		for _, shot := range s.shots {
			if n := shot.asked.Load(); n == 0 || n > 12 {
				t.Errorf("%d keyframes of %s were asked for", n, shot.rid)
			}
		}
	})
}

// A publisher stops its largest encoding, as a browser does when its processor or its link cannot carry it, and starts it again.
func TestAnEncodingThatStopsIsReplacedUntilItComesBack(t *testing.T) {
	onBothPaths(t, func(t *testing.T, b *bench) {
		s := newStudio(t, b, "room", "alice", "q", "h", "f")
		v := &viewer{c: newClient(b, "room", "bob", clientOptions{silent: true})}
		s.run()
		v.until("f")
		for range 2 {
			s.shots[2].off.Store(true)
			v.until("h")
			s.shots[1].off.Store(true)
			v.until("q")
			s.shots[1].off.Store(false)
			v.until("h")
			s.shots[2].off.Store(false)
			v.until("f")
		}
	})
}
