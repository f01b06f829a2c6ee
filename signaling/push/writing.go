package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/parleyrtc/parley/signaling/push/notice"
	"github.com/parleyrtc/parley/signaling/store"
)

// writing is one attempt at changing registrations: what was read, and what it is to become.
type writing struct {
	registry *Registry
	context  context.Context
	lists    map[string]*devicesRecord // by uid
	owners   map[string]*ownerRecord   // by registration id
	owned    map[string]bool           // by registration id: to be written even if it is as it was
	was      map[string]store.Record   // by key, as it was read
}

// write lets change work on what is in the store and writes the result, all or nothing. When somebody else was faster, change is
// asked again.
func (r *Registry) write(ctx context.Context, change func(*writing) error) error {
	for attempt := 1; ; attempt++ {
		w := &writing{
			registry: r, context: ctx,
			lists: map[string]*devicesRecord{}, owners: map[string]*ownerRecord{}, owned: map[string]bool{}, was: map[string]store.Record{},
		}
		if err := change(w); err != nil {
			return err
		}
		_, err := r.store.Commit(ctx, w.changes())
		if err == nil || !errors.Is(err, store.ErrConflict) || attempt == writeTries {
			return err
		}
	}
}

// devices is the list of a user's registrations, to be changed in place.
func (w *writing) devices(uid string) (*[]notice.Device, error) {
	if w.lists[uid] == nil {
		list := &devicesRecord{}
		if err := w.read(devicesKey(uid), list); err != nil {
			return nil, err
		}
		w.lists[uid] = list
	}
	return &w.lists[uid].Devices, nil
}

// owner is whose registration it is, "" for nobody's.
func (w *writing) owner(id string) (string, error) {
	if w.owners[id] == nil {
		owner := &ownerRecord{}
		if err := w.read(ownerKey(id), owner); err != nil {
			return "", err
		}
		w.owners[id] = owner
	}
	return w.owners[id].UID, nil
}

// own makes a registration the user's. That is written also when it was so: if it moves at this moment, one of the two must find
// that the record has changed.
func (w *writing) own(id, uid string) error {
	if _, err := w.owner(id); err != nil {
		return err
	}
	w.owners[id].UID, w.owned[id] = uid, true
	return nil
}

// disown makes a registration of the user's nobody's.
func (w *writing) disown(id, uid string) error {
	owner, err := w.owner(id)
	if err == nil && owner == uid {
		w.owners[id].UID = ""
	}
	return err
}

func (w *writing) read(key string, value any) error {
	record, err := w.registry.store.Get(w.context, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	w.was[key] = record
	return json.Unmarshal(record.Value, value)
}

// changes is what differs from what was read.
func (w *writing) changes() []store.Change {
	var out []store.Change
	add := func(key string, empty, always bool, value any) {
		was, existed := w.was[key]
		if empty {
			if existed {
				out = append(out, store.Change{Key: key, Expect: was.Revision})
			}
			return
		}
		text, err := json.Marshal(value)
		if err != nil {
			panic(err) // plain structs of strings and times
		}
		if !existed || always || !bytes.Equal(text, was.Value) {
			out = append(out, store.Change{Key: key, Value: text, Expect: was.Revision})
		}
	}
	for uid, list := range w.lists {
		add(devicesKey(uid), len(list.Devices) == 0, false, list)
	}
	for id, owner := range w.owners {
		add(ownerKey(id), owner.UID == "", w.owned[id], owner)
	}
	slices.SortFunc(out, func(a, b store.Change) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
	return out
}
