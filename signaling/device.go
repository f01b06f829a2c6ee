package signaling

import (
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/signaling/resume"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// device is one device of one user as the server remembers it: it outlives its sockets for a while, so that a client can
// resume and misses no event. It has at most one socket at a time, the newest.
type device struct {
	// Set at construction.
	uid, id    string
	connection string // the connectionId that a resume must name
	warning    time.Duration
	offers     *rate.Limiter // outlasts reconnecting

	// Guarded by mu. A socket's own lock may be taken under it, the hub's may not.
	mu        sync.Mutex
	socket    *socket // nil while away
	awaySince time.Time
	expiry    *time.Timer // runs while away
	buffer    *resume.Buffer
	gone      bool // forgotten by the hub; nothing is kept any more

	expiresAt time.Time // of its token
	claims    token.Claims
	expiring  *time.Timer // sends token.expiring
}

// deliver numbers an event, keeps it, and sends it if the device is there. It never blocks. All devices that get the event
// share its data: in a group call that is the whole call for each change of each member.
func (d *device) deliver(kind string, at time.Time, data json.RawMessage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone {
		return
	}
	seq, event := d.buffer.Next(), resume.Event{Type: kind, At: at, Data: data}
	d.buffer.Append(event)
	if d.socket != nil && !d.socket.send(message{seq: seq, event: event}) {
		d.buffer.Clear() // cut off for being slow: it starts again from a snapshot
	}
}

// token takes a verified token into use.
func (d *device) token(now time.Time, claims token.Claims) {
	expiresAt := claims.ExpiresAt
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.expiring != nil {
		d.expiring.Stop()
	}
	d.claims, d.expiresAt = claims, expiresAt
	if d.gone {
		return
	}
	data, err := wire.Encode(wire.TokenExpiringEvent{ExpiresAt: wire.Millis(expiresAt)})
	if err != nil {
		return
	}
	d.expiring = time.AfterFunc(max(0, expiresAt.Sub(now)-d.warning), func() {
		d.deliver(wire.EventTokenExpiring, time.Now(), data)
	})
}

// expired reports whether the device's token has run out.
func (d *device) expired(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !now.Before(d.expiresAt)
}

// granted reports whether the device's token carries a grant.
func (d *device) granted(grant string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.claims.Granted(grant)
}

// bearer is what the device's token says.
func (d *device) bearer() token.Claims {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.claims
}

// forget drops the events up to last, which the client has.
func (d *device) forget(last uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.buffer.Forget(min(last, d.buffer.Last()))
}

// presence reports whether the device has a socket now, and otherwise since when it has none.
func (d *device) presence() (connected bool, awaySince time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.socket != nil, d.awaySince
}

// end forgets everything; the caller has taken the device out of the hub. It returns the socket that is still open, if any.
func (d *device) end() *socket {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = true
	d.buffer.Clear()
	for _, timer := range []*time.Timer{d.expiry, d.expiring} {
		if timer != nil {
			timer.Stop()
		}
	}
	s := d.socket
	d.socket = nil
	return s
}
