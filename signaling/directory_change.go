package signaling

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

// errGroupFull refuses a member of a group that has maxGroupMembers.
var errGroupFull = errors.New("signaling: the group has the most members it can have")

// putUser makes a user or changes their name and avatar, also one who was deleted. It reports whether the user is new.
func (d *Directory) putUser(ctx context.Context, user wire.UserView) (created bool, err error) {
	for {
		var u userRecord
		revision, err := d.read(ctx, userKey(user.UID), &u)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
		created := revision == 0 || !u.DeletedAt.IsZero()
		if created {
			u = userRecord{UID: user.UID, CreatedAt: d.now().UTC()}
		}
		u.Name, u.Avatar = cmp.Or(user.Name, user.UID), user.Avatar
		if err = d.write(ctx, change(userKey(user.UID), u, revision)); errors.Is(err, store.ErrConflict) {
			continue
		}
		d.forget(user.UID)
		return created, err
	}
}

// deleteUser leaves a tombstone in the place of a user and takes them out of their groups, whose guids it returns.
func (d *Directory) deleteUser(ctx context.Context, uid string) (left []string, err error) {
	for {
		var u userRecord
		revision, err := d.read(ctx, userKey(uid), &u)
		if err != nil {
			return nil, orMissing(err, errNoUser)
		}
		if !u.DeletedAt.IsZero() {
			return nil, errNoUser
		}
		grave := userRecord{UID: uid, CreatedAt: u.CreatedAt, DeletedAt: d.now().UTC()}
		if err = d.write(ctx, change(userKey(uid), grave, revision)); errors.Is(err, store.ErrConflict) {
			continue
		} else if err != nil {
			return nil, err
		}
		d.forget(uid)
		break
	}
	groups, err := d.groupsOf(ctx, uid)
	if err != nil {
		return nil, err
	}
	for _, guid := range groups {
		if _, err := d.removeMember(ctx, guid, uid); err != nil {
			return left, err
		}
		left = append(left, guid)
	}
	return left, nil
}

// user reads one user from the store, or errNoUser.
func (d *Directory) user(ctx context.Context, uid string) (wire.UserView, error) {
	d.forget(uid)
	view, known, err := d.User(ctx, uid)
	if err == nil && !known {
		err = errNoUser
	}
	return view, err
}

// users lists those with a uid above after, by uid, at most limit, and reports whether there are more.
func (d *Directory) users(ctx context.Context, after string, limit int) (page []wire.UserView, more bool, err error) {
	records, err := d.store.List(ctx, "user")
	if err != nil {
		return nil, false, err
	}
	all := make([]wire.UserView, 0, len(records))
	for _, r := range records {
		var u userRecord
		if err := json.Unmarshal(r.Value, &u); err != nil {
			return nil, false, fmt.Errorf("the record %s does not parse: %w", r.Key, err)
		}
		if u.DeletedAt.IsZero() && u.UID > after {
			all = append(all, u.view())
		}
	}
	slices.SortFunc(all, func(a, b wire.UserView) int { return cmp.Compare(a.UID, b.UID) })
	n := min(limit, len(all))
	return all[:n], n < len(all), nil
}

// putGroup makes a group or changes its name; with a first member, that one is in it from the start. It reports whether
// the group is new.
func (d *Directory) putGroup(ctx context.Context, group wire.GroupView, first string) (created bool, err error) {
	for {
		var g groupRecord
		revision, err := d.read(ctx, groupKey(group.GUID), &g)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
		if revision == 0 {
			g = groupRecord{GUID: group.GUID, CreatedAt: d.now().UTC()}
		}
		g.Name = cmp.Or(group.Name, group.GUID)
		changes := []store.Change{change(groupKey(group.GUID), g, revision)}
		if revision == 0 && first != "" {
			changes = append(changes, d.membership(group.GUID, first)...)
		}
		if err = d.write(ctx, changes...); errors.Is(err, store.ErrConflict) {
			continue
		}
		return revision == 0, err
	}
}

// deleteGroup removes a group with all memberships and returns who was in it.
func (d *Directory) deleteGroup(ctx context.Context, guid string) (were []string, err error) {
	if _, err := d.group(ctx, guid); err != nil {
		return nil, err
	}
	if err := d.write(ctx, store.Change{Key: groupKey(guid), Blind: true}); err != nil {
		return nil, err
	}
	members, err := d.members(ctx, guid)
	if err != nil {
		return nil, err
	}
	for _, uid := range members {
		if _, err := d.removeMember(ctx, guid, uid); err != nil {
			return were, err
		}
		were = append(were, uid)
	}
	return were, nil
}

// groups lists those with a guid above after, by guid, at most limit.
func (d *Directory) groups(ctx context.Context, after string, limit int) (page []wire.GroupView, more bool, err error) {
	records, err := d.store.List(ctx, "group")
	if err != nil {
		return nil, false, err
	}
	all := make([]wire.GroupView, 0, len(records))
	for _, r := range records {
		var g groupRecord
		if err := json.Unmarshal(r.Value, &g); err != nil {
			return nil, false, fmt.Errorf("the record %s does not parse: %w", r.Key, err)
		}
		if g.GUID > after {
			all = append(all, g.view())
		}
	}
	slices.SortFunc(all, func(a, b wire.GroupView) int { return cmp.Compare(a.GUID, b.GUID) })
	n := min(limit, len(all))
	return all[:n], n < len(all), nil
}

// groupsWith lists a user's groups with a guid above after, by guid, at most limit. It reads no other groups.
func (d *Directory) groupsWith(ctx context.Context, uid, after string, limit int) (page []wire.GroupView, more bool, err error) {
	mine, err := d.groupsOf(ctx, uid)
	if err != nil {
		return nil, false, err
	}
	mine = slices.DeleteFunc(mine, func(guid string) bool { return guid <= after })
	slices.Sort(mine)
	n := min(limit, len(mine))
	page = make([]wire.GroupView, 0, n)
	for _, guid := range mine[:n] {
		switch group, err := d.group(ctx, guid); {
		case errors.Is(err, errNoGroup): // deleted at this moment
		case err != nil:
			return nil, false, err
		default:
			page = append(page, group)
		}
	}
	return page, n < len(mine) && len(page) > 0, nil
}

// addMember puts a user into a group and reports whether they were not in it before.
func (d *Directory) addMember(ctx context.Context, guid, uid string) (added bool, err error) {
	if _, err := d.group(ctx, guid); err != nil {
		return false, err
	}
	members, err := d.members(ctx, guid)
	if err != nil {
		return false, err
	}
	if slices.Contains(members, uid) {
		return false, nil
	}
	if len(members) >= maxGroupMembers {
		return false, errGroupFull
	}
	err = d.write(ctx, d.membership(guid, uid)...)
	if errors.Is(err, store.ErrConflict) {
		return false, nil // added meanwhile
	}
	return err == nil, err
}

// membership is the two records of a new member, one to be found by group and one by user.
func (d *Directory) membership(guid, uid string) []store.Change {
	record := memberRecord{AddedAt: d.now().UTC()}
	return []store.Change{change(memberKey(guid, uid), record, 0), change(memberOfKey(uid, guid), record, 0)}
}

// removeMember takes a user out of a group and reports whether they were in it.
func (d *Directory) removeMember(ctx context.Context, guid, uid string) (removed bool, err error) {
	in, err := d.isMember(ctx, guid, uid)
	if err != nil || !in {
		return false, err
	}
	err = d.write(ctx,
		store.Change{Key: memberKey(guid, uid), Blind: true}, store.Change{Key: memberOfKey(uid, guid), Blind: true})
	return err == nil, err
}
