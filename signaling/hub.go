package signaling

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/resume"
	"github.com/parleyrtc/parley/signaling/wire"
)

// errTooManyDevices refuses yet another device of a user who has the most already, all of them connected.
var errTooManyDevices = errors.New("signaling: the user has too many devices")

// hub knows every device that is connected or may still resume.
type hub struct {
	// Set at construction.
	config  Config
	changed func(uid, device string) // a device came or went; called without locks

	// Guarded by mu. A device's lock may be taken under it.
	mu          sync.Mutex
	users       map[string]map[string]*device // by uid, then device id
	connections map[string]*device            // by connection id
	closed      bool
}

func newHub(config Config, changed func(uid, device string)) *hub {
	return &hub{config: config, changed: changed, users: map[string]map[string]*device{}, connections: map[string]*device{}}
}

// arrival is what became of a hello.
type arrival struct {
	device  *device
	resumed bool
	missed  []resume.Event // events to send again
	lastSeq uint64         // number of the newest event that the client has; missed begins with the next
}

// attach gives s the device that the hello asks for. Events for the device are queued on s from now on; s sends them after
// its greeting. The device's older socket is closed.
func (h *hub) attach(now time.Time, s *socket, uid string, hello wire.HelloParams) (arrival, error) {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return arrival{}, errors.New("signaling: closed")
	}
	a, older, ok := h.resume(s, uid, hello)
	if !ok {
		var err error
		if a, older, err = h.renew(now, s, uid, hello.DeviceID); err != nil {
			h.mu.Unlock()
			return arrival{}, err
		}
	}
	h.mu.Unlock()
	if older != nil {
		older.cut(wire.CloseReplaced)
	}
	h.changed(uid, a.device.id)
	return a, nil
}

// resume finds the device session that the hello wants to go on with. The caller holds mu.
func (h *hub) resume(s *socket, uid string, hello wire.HelloParams) (a arrival, older *socket, ok bool) {
	if hello.Resume == nil {
		return arrival{}, nil, false
	}
	d := h.connections[hello.Resume.ConnectionID]
	if d == nil || d.uid != uid || hello.DeviceID != "" && hello.DeviceID != d.id {
		return arrival{}, nil, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	missed, ok := d.buffer.Since(hello.Resume.LastSeq)
	if !ok {
		return arrival{}, nil, false
	}
	older = d.socket
	d.socket = s
	if d.expiry != nil {
		d.expiry.Stop()
	}
	return arrival{device: d, resumed: true, missed: slices.Clone(missed), lastSeq: hello.Resume.LastSeq}, older, true
}

// renew makes a device session that starts from nothing, in place of an older one with the same id. The caller holds mu.
func (h *hub) renew(now time.Time, s *socket, uid, id string) (a arrival, older *socket, err error) {
	if id == "" {
		id = newID("d_")
	}
	offers := rate.NewLimiter(rate.Limit(h.config.OfferRate), h.config.OfferBurst)
	devices := h.users[uid]
	if d := devices[id]; d != nil {
		older, offers = d.end(), d.offers
		h.remove(d)
	} else if len(devices) >= h.config.MaxDevices && !h.evict(devices) {
		return arrival{}, nil, errTooManyDevices
	}
	d := &device{
		uid: uid, id: id, connection: newID("c_"), warning: h.config.TokenWarning, offers: offers, socket: s, awaySince: now,
		buffer: resume.New(resume.Limits{Events: h.config.ResumeEvents, Bytes: h.config.ResumeBytes}),
	}
	if h.users[uid] == nil {
		h.users[uid] = map[string]*device{}
	}
	h.users[uid][id] = d
	h.connections[d.connection] = d
	return arrival{device: d}, older, nil
}

// evict forgets the device that has been away longest, and reports false if none is away. The caller holds mu.
func (h *hub) evict(devices map[string]*device) bool {
	var oldest *device
	var since time.Time
	for _, d := range devices {
		d.mu.Lock()
		if d.socket == nil && (oldest == nil || d.awaySince.Before(since)) {
			oldest, since = d, d.awaySince
		}
		d.mu.Unlock()
	}
	if oldest == nil {
		return false
	}
	oldest.end()
	h.remove(oldest)
	return true
}

// remove takes d out of the maps. The caller holds mu.
func (h *hub) remove(d *device) {
	delete(h.connections, d.connection)
	if devices := h.users[d.uid]; devices[d.id] == d {
		delete(devices, d.id)
		if len(devices) == 0 {
			delete(h.users, d.uid)
		}
	}
}

// detach says that s is closed. If it was still its device's socket, the device is away from now on.
func (h *hub) detach(now time.Time, s *socket, d *device) {
	d.mu.Lock()
	mine := d.socket == s
	if mine {
		d.socket, d.awaySince = nil, now
		if !d.gone {
			d.expiry = time.AfterFunc(h.config.ResumeTime, func() { h.expire(d, now) })
		}
	}
	d.mu.Unlock()
	if mine {
		h.changed(d.uid, d.id)
	}
}

// expire forgets d if it has been away since then.
func (h *hub) expire(d *device, since time.Time) {
	h.mu.Lock()
	d.mu.Lock()
	over := d.socket == nil && d.awaySince.Equal(since)
	d.mu.Unlock()
	if over {
		d.end()
		h.remove(d)
	}
	h.mu.Unlock()
}

// deliver sends an event to the devices that the recipient names.
func (h *hub) deliver(to call.Recipient, kind string, at time.Time, data json.RawMessage) {
	for _, d := range h.named(to) {
		d.deliver(kind, at, data)
	}
}

func (h *hub) named(to call.Recipient) []*device {
	h.mu.Lock()
	defer h.mu.Unlock()
	if to.Device != "" {
		if d := h.users[to.UID][to.Device]; d != nil && to.Device != to.Except {
			return []*device{d}
		}
		return nil
	}
	var out []*device
	for id, d := range h.users[to.UID] {
		if id != to.Except {
			out = append(out, d)
		}
	}
	return out
}

// everyone sends an event to all devices of all users.
func (h *hub) everyone(kind string, at time.Time, data json.RawMessage) {
	h.mu.Lock()
	all := make([]*device, 0, len(h.connections))
	for _, d := range h.connections {
		all = append(all, d)
	}
	h.mu.Unlock()
	for _, d := range all {
		d.deliver(kind, at, data)
	}
}

// presence reports whether a device has a socket now, and if not, since when: zero when that is not known.
func (h *hub) presence(uid, id string) (connected bool, awaySince time.Time) {
	h.mu.Lock()
	d := h.users[uid][id]
	h.mu.Unlock()
	if d == nil {
		return false, time.Time{}
	}
	return d.presence()
}

// expel forgets all devices of a user and closes their connections.
func (h *hub) expel(uid string) {
	h.mu.Lock()
	var open []*socket
	for _, d := range h.users[uid] {
		if s := d.end(); s != nil {
			open = append(open, s)
		}
		h.remove(d)
	}
	h.mu.Unlock()
	for _, s := range open {
		s.cut(wire.CloseUnauthorized)
	}
}

// close forgets all devices, whose sockets the server closes, and takes no new ones.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, d := range h.connections {
		d.end()
	}
	clear(h.users)
	clear(h.connections)
}

// newID makes an id with 128 random bits.
func newID(prefix string) string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails: it ends the process instead
	return prefix + base64.RawURLEncoding.EncodeToString(raw[:])
}
