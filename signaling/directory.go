package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

// ErrUserDeleted refuses a user whose tokens may still be good.
var ErrUserDeleted = errors.New("signaling: the user was deleted")

var (
	errNoUser  = errors.New("signaling: no such user")
	errNoGroup = errors.New("signaling: no such group")
)

// maxGroupMembers bounds a group, because ringing one costs as much as it has members.
const maxGroupMembers = 1000

// userRecord is a user as the store keeps it. A deleted one stays as a tombstone, so that a token which is still good
// does not bring the user back.
type userRecord struct {
	UID       string    `json:"uid"`
	Name      string    `json:"name,omitempty"`
	Avatar    string    `json:"avatar,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	DeletedAt time.Time `json:"deletedAt,omitzero"`
}

func (u userRecord) view() wire.UserView {
	return wire.UserView{UID: u.UID, Name: u.Name, Avatar: u.Avatar}
}

// groupRecord is a group as the store keeps it; each member is a record of its own.
type groupRecord struct {
	GUID      string    `json:"guid"`
	Name      string    `json:"name,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
}

func (g groupRecord) view() wire.GroupView { return wire.GroupView{GUID: g.GUID, Name: g.Name} }

// memberRecord says since when a user belongs to a group.
type memberRecord struct {
	AddedAt time.Time `json:"addedAt"`
}

func userKey(uid string) string           { return "user/" + uid }
func groupKey(guid string) string         { return "group/" + guid }
func membersKey(guid string) string       { return "member/" + guid }
func memberKey(guid, uid string) string   { return membersKey(guid) + "/" + uid }
func membershipKey(uid string) string     { return "memberOf/" + uid }
func memberOfKey(uid, guid string) string { return membershipKey(uid) + "/" + guid }

// Directory knows users, groups and who belongs to which group; it is the Profiles of a server. What decides (is this
// user known, who is a member) is read from the store; names that are only shown may be as old as the cache. Its methods
// may be called from any goroutine.
type Directory struct {
	// Set at construction.
	store store.Store
	now   func() time.Time
	lists *limits // of users who have whole lists read

	// Guarded by mu.
	mu    sync.Mutex
	names map[string]cachedUser
}

type cachedUser struct {
	view  wire.UserView
	known bool
	until time.Time
}

// The bounds of the cache of names.
const (
	maxNames  = 10_000
	namesLast = 5 * time.Second
)

// NewDirectory keeps users and groups in s, which stays open until the last use of the directory.
func NewDirectory(s store.Store) *Directory {
	return &Directory{store: s, now: time.Now, lists: newLimits(blockRate, blockBurst), names: map[string]cachedUser{}}
}

// User returns a user who has signed in once or was made over REST, and false for anybody else, also for a deleted one.
// The answer may be some seconds old.
func (d *Directory) User(ctx context.Context, uid string) (wire.UserView, bool, error) {
	now := d.now()
	d.mu.Lock()
	cached, ok := d.names[uid]
	d.mu.Unlock()
	if ok && now.Before(cached.until) {
		return cached.view, cached.known, nil
	}
	var u userRecord
	_, err := d.read(ctx, userKey(uid), &u)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return wire.UserView{}, false, err
	}
	known := err == nil && u.DeletedAt.IsZero()
	cached = cachedUser{known: known, until: now.Add(namesLast)}
	if known {
		cached.view = u.view()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.names) >= maxNames {
		clear(d.names) // simpler than an order of use, and as good with a life of seconds
	}
	d.names[uid] = cached
	return cached.view, known, nil
}

// Touch takes note of a user who came with a good token, and of the name and avatar in it; empty ones change nothing.
// It refuses a user who was deleted with ErrUserDeleted.
func (d *Directory) Touch(ctx context.Context, user wire.UserView) error {
	for {
		var u userRecord
		revision, err := d.read(ctx, userKey(user.UID), &u)
		switch {
		case errors.Is(err, store.ErrNotFound):
			u = userRecord{UID: user.UID, Name: user.UID, CreatedAt: d.now().UTC()}
		case err != nil:
			return err
		case !u.DeletedAt.IsZero():
			return ErrUserDeleted
		}
		before := u
		orKeep(&u.Name, user.Name)
		orKeep(&u.Avatar, user.Avatar)
		if revision != 0 && u == before {
			return nil
		}
		if err = d.write(ctx, change(userKey(user.UID), u, revision)); errors.Is(err, store.ErrConflict) {
			continue // somebody else wrote this user; look again
		}
		d.forget(user.UID)
		return err
	}
}

// orKeep replaces a value by one that says something.
func orKeep(value *string, by string) {
	if by != "" {
		*value = by
	}
}

func (d *Directory) forget(uid string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.names, uid)
}

// Group returns a group and the uids of its members in the order in which they came, and false when there is none.
func (d *Directory) Group(ctx context.Context, guid string) (wire.GroupView, []string, bool, error) {
	g, err := d.group(ctx, guid)
	if errors.Is(err, errNoGroup) {
		return wire.GroupView{}, nil, false, nil
	}
	if err != nil {
		return wire.GroupView{}, nil, false, err
	}
	members, err := d.members(ctx, guid)
	return g, members, err == nil, err
}

// GroupProfile returns a group, and false when there is none.
func (d *Directory) GroupProfile(ctx context.Context, guid string) (wire.GroupView, bool, error) {
	g, err := d.group(ctx, guid)
	if errors.Is(err, errNoGroup) {
		return wire.GroupView{}, false, nil
	}
	return g, err == nil, err
}

// group finds a group, or errNoGroup.
func (d *Directory) group(ctx context.Context, guid string) (wire.GroupView, error) {
	var g groupRecord
	if _, err := d.read(ctx, groupKey(guid), &g); err != nil {
		return wire.GroupView{}, orMissing(err, errNoGroup)
	}
	return g.view(), nil
}

// members lists the uids of a group, in the order in which they were added. An unknown group has none.
func (d *Directory) members(ctx context.Context, guid string) ([]string, error) {
	return d.under(ctx, membersKey(guid))
}

// groupsOf lists the guids of the groups that a user belongs to.
func (d *Directory) groupsOf(ctx context.Context, uid string) ([]string, error) {
	return d.under(ctx, membershipKey(uid))
}

// isMember reports whether the user belongs to the group.
func (d *Directory) isMember(ctx context.Context, guid, uid string) (bool, error) {
	_, err := d.store.Get(ctx, memberKey(guid, uid))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// under lists the last elements of the keys below prefix.
func (d *Directory) under(ctx context.Context, prefix string) ([]string, error) {
	records, err := d.store.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(records))
	for _, r := range records {
		names = append(names, r.Key[len(prefix)+1:])
	}
	return names, nil
}

// read decodes the record with this key into value and returns its revision.
func (d *Directory) read(ctx context.Context, key string, value any) (uint64, error) {
	record, err := d.store.Get(ctx, key)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(record.Value, value); err != nil {
		return 0, fmt.Errorf("the record %s does not parse: %w", key, err)
	}
	return record.Revision, nil
}

func (d *Directory) write(ctx context.Context, changes ...store.Change) error {
	_, err := d.store.Commit(ctx, changes)
	return err
}

// change writes value as JSON over the revision that was read; 0 says that there was no record.
func change(key string, value any, revision uint64) store.Change {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // records are plain structs of strings and times
	}
	return store.Change{Key: key, Value: text, Expect: revision}
}

// orMissing is missing for a record that is not there, and the store's own trouble otherwise.
func orMissing(err, missing error) error {
	if errors.Is(err, store.ErrNotFound) {
		return missing
	}
	return err
}
