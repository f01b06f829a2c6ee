package signaling

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// listener notes what an observer hears.
type listener struct {
	mu    sync.Mutex
	heard []string
	grown chan struct{}
	panic bool
}

func newListener() *listener { return &listener{grown: make(chan struct{}, 1)} }

func (w *listener) Committed(_ time.Time, c *call.Call, view wire.CallView, effects []call.Effect) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, effect := range effects {
		if n, ok := effect.(call.Notify); ok {
			var to []string
			for _, r := range n.To {
				to = append(to, r.UID)
			}
			w.heard = append(w.heard, fmt.Sprintf("%s to %s, %s %s", n.Kind, strings.Join(to, " "), c.Status, view.Status))
		}
	}
	select {
	case w.grown <- struct{}{}:
	default:
	}
	if w.panic {
		panic("a mistake of the observer's")
	}
}

// awaits waits until everything in want was heard, in this order and with nothing between.
func (w *listener) awaits(t *testing.T, want ...string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		w.mu.Lock()
		heard := strings.Join(w.heard, "\n")
		w.mu.Unlock()
		if strings.Contains(heard, strings.Join(want, "\n")) {
			return
		}
		select {
		case <-w.grown:
		case <-deadline:
			t.Fatalf("heard\n%s\nbut not\n%s", heard, strings.Join(want, "\n"))
		}
	}
}

func TestTheObserverHearsEveryChange(t *testing.T) {
	w := newListener()
	n := serveWatched(t, t.TempDir(), quick(), w)
	alice, bob := n.open("alice"), n.open("bob")
	session := alice.ring("bob").SessionID
	bob.on("call.accept", session).call(t)
	w.awaits(t, "call.incoming to bob, initiated initiated", "call.outgoing to alice, initiated initiated",
		"call.accepted to alice, ongoing ongoing")
}

func TestACallThatRingsOverARestartIsToldAnew(t *testing.T) {
	dir := t.TempDir()
	n := serveWatched(t, dir, quick(), newListener())
	alice := n.open("alice")
	alice.ring("bob")
	n.stop()
	w := newListener()
	serveWatched(t, dir, quick(), w)
	w.awaits(t, "call.incoming to bob, initiated initiated")
}

func TestAnObserverThatFailsChangesNoCall(t *testing.T) {
	w := newListener()
	w.panic = true
	n := serveWatched(t, t.TempDir(), quick(), w)
	alice, bob := n.open("alice"), n.open("bob")
	session := alice.ring("bob").SessionID
	bob.expect("call.incoming")
	if got := bob.on("call.accept", session).call(t).Status; got != "ongoing" {
		t.Errorf("status %q", got)
	}
}
