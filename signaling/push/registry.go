package push

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parleyrtc/parley/signaling/push/notice"
	"github.com/parleyrtc/parley/signaling/store"
)

// Where registrations are in the store: a user's in one record, so that a ring costs one read, and for each token one that says
// whose it is, so that it can change hands. Both are written together.
func devicesKey(uid string) string { return "push/" + uid }
func ownerKey(id string) string    { return "pushOwner/" + id }

type devicesRecord struct {
	Devices []notice.Device `json:"devices"` // the one registered last comes last
}

type ownerRecord struct {
	UID string `json:"uid"`
}

// RegistryConfig says what may be registered.
type RegistryConfig struct {
	Kinds      []notice.Kind    // those with a provider
	WebHosts   []string         // see notice.AllowedEndpoint
	MaxDevices int              // of one user; the one registered longest ago makes room; 0: 32
	Now        func() time.Time // nil: time.Now
}

// Registry keeps where users want to be pushed. It may be used from any goroutine, and by several nodes on one store.
type Registry struct {
	config RegistryConfig
	store  store.Store
}

// NewRegistry keeps registrations in s, which stays open until the registry's last use.
func NewRegistry(config RegistryConfig, s store.Store) *Registry {
	config.MaxDevices = cmp.Or(config.MaxDevices, 32)
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Registry{config: config, store: s}
}

// The bounds of writing a registration that others change at the same time.
const writeTries = 8

// refresh is how old a registration is when registering it again writes it anew; apps register at every start.
const refresh = 24 * time.Hour

// Register notes that the user is to be pushed at a device which passes Device.Check, and returns it with its id. A token that
// was another user's is theirs no more. It refuses with notice.ErrKind and notice.ErrEndpoint.
func (r *Registry) Register(ctx context.Context, uid string, d notice.Device) (notice.Device, error) {
	if !slices.Contains(r.config.Kinds, d.Kind) {
		return notice.Device{}, notice.ErrKind
	}
	if d.Kind == notice.Web && !notice.AllowedEndpoint(d.Token, r.config.WebHosts) {
		return notice.Device{}, notice.ErrEndpoint
	}
	d.ID, d.RegisteredAt = notice.IDOf(d.Kind, d.Token), r.config.Now().UTC().Truncate(time.Millisecond)
	err := r.write(ctx, func(w *writing) error {
		owner, err := w.owner(d.ID)
		if err != nil {
			return err
		}
		mine, err := w.devices(uid)
		if err != nil {
			return err
		}
		if old := find(*mine, d.ID); owner == uid && old != nil && same(*old, d) {
			d = *old
			return nil
		}
		if owner != "" && owner != uid {
			theirs, err := w.devices(owner)
			if err != nil {
				return err
			}
			*theirs = without(*theirs, d.ID)
		}
		*mine = append(without(*mine, d.ID), d)
		for len(*mine) > r.config.MaxDevices {
			if err := w.disown((*mine)[0].ID, uid); err != nil {
				return err
			}
			*mine = (*mine)[1:]
		}
		return w.own(d.ID, uid)
	})
	return d, err
}

// same reports whether registering d again would change nothing that matters.
func same(old, d notice.Device) bool {
	fresh := d.RegisteredAt.Sub(old.RegisteredAt) < refresh
	old.RegisteredAt = d.RegisteredAt
	return fresh && old == d
}

// Unregister forgets one of the user's registrations. One that the user does not have is forgotten already.
func (r *Registry) Unregister(ctx context.Context, uid, id string) error {
	return r.remove(ctx, uid, func(d notice.Device) bool { return d.ID == id })
}

// Dead forgets a registration on the provider's word, unless it was registered again after the provider saw it die; zero: not
// said when.
func (r *Registry) Dead(ctx context.Context, uid string, dead notice.Device, since time.Time) error {
	if since.IsZero() {
		since = dead.RegisteredAt
	}
	return r.remove(ctx, uid, func(d notice.Device) bool { return d.ID == dead.ID && !d.RegisteredAt.After(since) })
}

// Forget forgets all registrations of a user.
func (r *Registry) Forget(ctx context.Context, uid string) error {
	return r.remove(ctx, uid, func(notice.Device) bool { return true })
}

func (r *Registry) remove(ctx context.Context, uid string, which func(notice.Device) bool) error {
	return r.write(ctx, func(w *writing) error {
		mine, err := w.devices(uid)
		if err != nil {
			return err
		}
		for _, d := range slices.Clone(*mine) {
			if which(d) {
				*mine = without(*mine, d.ID)
				if err := w.disown(d.ID, uid); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Devices lists where the user is to be pushed, the one registered last comes last.
func (r *Registry) Devices(ctx context.Context, uid string) ([]notice.Device, error) {
	var list devicesRecord
	_, err := r.read(ctx, devicesKey(uid), &list)
	return list.Devices, err
}

// read decodes a record and returns its revision; 0 and nothing when there is none.
func (r *Registry) read(ctx context.Context, key string, value any) (uint64, error) {
	record, err := r.store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(record.Value, value); err != nil {
		return 0, fmt.Errorf("push: the record %s does not parse: %w", key, err)
	}
	return record.Revision, nil
}

func find(list []notice.Device, id string) *notice.Device {
	if i := slices.IndexFunc(list, func(d notice.Device) bool { return d.ID == id }); i >= 0 {
		return &list[i]
	}
	return nil
}

func without(list []notice.Device, id string) []notice.Device {
	return slices.DeleteFunc(slices.Clone(list), func(d notice.Device) bool { return d.ID == id })
}
