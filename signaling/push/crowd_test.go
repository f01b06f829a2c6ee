package push

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/push/notice"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

// The crowd of the project's promise: 10,000 registered devices and 1,000 ringing calls at once within 200 MB.
const (
	crowdUsers   = 1000
	crowdDevices = 10 // of each: 5 by Firebase, 2 by Apple, 3 browsers
	crowdMemory  = 200 << 20
)

// populate registers the crowd's devices by writing the records at once, as Register would one by one.
func (n *node) populate() {
	n.t.Helper()
	b := newBrowser(n.t)
	p256dh, auth := b.keys()
	var changes []store.Change
	put := func(key string, value any) {
		text, err := json.Marshal(value)
		if err != nil {
			n.t.Fatal(err)
		}
		changes = append(changes, store.Change{Key: key, Value: text})
		if len(changes) == store.MaxChanges {
			n.commit(changes)
			changes = nil
		}
	}
	for u := range crowdUsers {
		uid := fmt.Sprintf("user-%d", u)
		var list devicesRecord
		for i := range crowdDevices {
			d := notice.Device{Kind: notice.FCM, Token: fmt.Sprintf("fcm-%d-%d-%s", u, i, strings.Repeat("x", 140))}
			switch {
			case i >= 7:
				d = notice.Device{Kind: notice.Web, Token: fmt.Sprintf("%s/push/%d-%d-%s", n.web.server.URL, u, i, strings.Repeat("x", 150)), P256dh: p256dh, Auth: auth}
			case i >= 5:
				d = notice.Device{Kind: notice.VoIP, Token: fmt.Sprintf("%060x%04x", u, i)}
			}
			d.ID, d.RegisteredAt = notice.IDOf(d.Kind, d.Token), time.Now()
			list.Devices = append(list.Devices, d)
			put(ownerKey(d.ID), ownerRecord{uid})
		}
		put(devicesKey(uid), list)
	}
	n.commit(changes)
}

func (n *node) commit(changes []store.Change) {
	n.t.Helper()
	if _, err := n.store.Commit(n.ctx, changes); err != nil {
		n.t.Fatal(err)
	}
}

// ringEverybody has a caller of their own call each user of the crowd, all at once, and waits until all calls ring.
func (n *node) ringEverybody() {
	n.t.Helper()
	var group sync.WaitGroup
	for u := range crowdUsers {
		group.Go(func() {
			_, err := n.server.Request(n.ctx, fmt.Sprintf("caller-%d", u), nil, wire.InitiateParams{
				ReceiverID: fmt.Sprintf("user-%d", u), ReceiverType: "user", Type: "video", MutationID: "m",
			})
			if err != nil {
				n.t.Error(err)
			}
		})
	}
	group.Wait()
}

// memory is what the heap and the stacks hold.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func TestACrowdRingsWithinItsMemoryWhileProvidersHang(t *testing.T) {
	n := openNode(t)
	n.populate()
	release := make(chan struct{})
	for _, m := range []*mailbox{&n.fcm.mailbox, &n.apns.mailbox, &n.web.mailbox} {
		m.mu.Lock()
		m.hang = release
		m.mu.Unlock()
	}
	defer close(release)
	before := memory()
	n.ringEverybody()
	placed := func() float64 { // every notice waits, is under way, was dropped because the queue is full, or is next in its lane
		sum := float64(len(n.sender.all))
		for _, l := range n.sender.all {
			sum += float64(l.length()+len(l.slots)) + testutil.ToFloat64(n.sender.metrics.pushes.WithLabelValues(l.name, "ring", "dropped"))
		}
		return sum
	}
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for placed() < crowdUsers*crowdDevices {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%v of %d notices are placed", placed(), crowdUsers*crowdDevices)
		}
	}
	after := memory()
	t.Logf("%d devices, %d ringing calls, providers that hang: %d MB before, %d MB with them", crowdUsers*crowdDevices, crowdUsers, before>>20, after>>20)
	if after > crowdMemory {
		t.Errorf("%d MB are in use, more than %d", after>>20, crowdMemory>>20)
	}
	if got := n.sender.ledger.Len(); got != crowdUsers {
		t.Errorf("%d calls ring", got)
	}
}

// BenchmarkACrowdRings measures 1,000 calls to 10,000 devices from the first call to the last provider's word, with the providers
// in the same process.
func BenchmarkACrowdRings(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		n := openNode(b)
		n.populate()
		b.StartTimer()
		n.ringEverybody()
		n.fcm.awaits(crowdUsers * 5)
		n.apns.awaits(crowdUsers * 2)
		n.web.awaits(crowdUsers * 3)
		b.StopTimer()
		b.ReportMetric(float64(memory()>>20), "MB")
		b.StartTimer()
	}
}

// BenchmarkCommitted measures what a change costs the loop of a call: the time that a push may delay a call at all.
func BenchmarkCommitted(b *testing.B) {
	o := openOffice(b, nil)
	now := time.Now()
	for b.Loop() {
		c, effects, err := call.New(now, call.Initiate{ID: "s", Type: call.Video, ReceiverType: call.User, By: call.Device{UID: "a", ID: "d"}, Receiver: "b"})
		if err != nil {
			b.Fatal(err)
		}
		view := wire.CallView{SessionID: "s", Initiator: wire.UserView{UID: "a", Name: "A"}, Receiver: wire.UserReceiver(wire.UserView{UID: "b", Name: "B"})}
		o.sender.Committed(now, c, view, effects)
	}
}
