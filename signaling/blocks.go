package signaling

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

// The bounds of block lists. Whatever reads a whole list for a user, theirs or a group's, has a rate of its own.
const (
	maxBlocked = 1000
	blockRate  = 5 // a second for one user
	blockBurst = 50
)

var (
	errTooManyBlocked = errors.New("signaling: too many users are blocked")
	errBlockingSelf   = errors.New("signaling: one cannot block oneself")
)

func blocksKey(uid string) string       { return "block/" + uid }
func blockKey(uid, other string) string { return blocksKey(uid) + "/" + other }

// Blocks reports whether the user does not want to be called by the other one.
func (d *Directory) Blocks(ctx context.Context, uid, other string) (bool, error) {
	_, err := d.store.Get(ctx, blockKey(uid, other))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Block notes that a user does not want to be called by another, who may never have been seen. It refuses more than maxBlocked.
func (d *Directory) Block(ctx context.Context, uid, other string) error {
	if uid == other {
		return errBlockingSelf
	}
	blocked, err := d.blocked(ctx, uid)
	switch {
	case err != nil || slices.Contains(blocked, other):
		return err
	case len(blocked) >= maxBlocked:
		return errTooManyBlocked
	}
	err = d.write(ctx, change(blockKey(uid, other), memberRecord{AddedAt: d.now().UTC()}, 0))
	if errors.Is(err, store.ErrConflict) {
		return nil // blocked meanwhile
	}
	return err
}

// Unblock takes that back. Who is not blocked leaves no trace in the store.
func (d *Directory) Unblock(ctx context.Context, uid, other string) error {
	if blocks, err := d.Blocks(ctx, uid, other); err != nil || !blocks {
		return err
	}
	return d.write(ctx, store.Change{Key: blockKey(uid, other), Blind: true})
}

// blocked lists whom a user has blocked, in the order in which they did.
func (d *Directory) blocked(ctx context.Context, uid string) ([]string, error) {
	return d.under(ctx, blocksKey(uid))
}

// Blocked lists those whom a user has blocked with a uid above after, by uid, at most limit, and reports whether there are more.
func (d *Directory) Blocked(ctx context.Context, uid, after string, limit int) (page []string, more bool, err error) {
	all, err := d.blocked(ctx, uid)
	if err != nil {
		return nil, false, err
	}
	all = slices.DeleteFunc(all, func(other string) bool { return other <= after })
	slices.Sort(all)
	n := min(limit, len(all))
	return all[:n], n < len(all), nil
}

// blocking carries out one request about the user's own block list.
func (k *socket) blocking(params wire.Params) (any, *wire.Error) {
	if k.device.bearer().Session != nil {
		return nil, oneSession()
	}
	directory, uid := k.server.deps.Directory, k.device.uid
	if wait, allowed := directory.MayList(time.Now(), uid); !allowed {
		return nil, tooFast(wait)
	}
	ctx, cancel := k.server.storeContext()
	defer cancel()
	var result any = wire.Empty{}
	var err error
	switch p := params.(type) {
	case wire.BlockParams:
		err = directory.Block(ctx, uid, p.UID)
	case wire.UnblockParams:
		err = directory.Unblock(ctx, uid, p.UID)
	case wire.BlockedParams:
		result, err = k.server.blockedUsers(ctx, uid, p)
	}
	if err != nil {
		if refusal := blockRefusal(err); refusal != nil {
			return nil, refusal
		}
		k.log.Error("a block list could not be read or written", "error", err)
		return nil, wire.Internal()
	}
	return result, nil
}

// blockRefusal says why nobody more is blocked, nil when that is our fault.
func blockRefusal(err error) *wire.Error {
	switch {
	case errors.Is(err, errTooManyBlocked):
		return wire.Refuse(wire.CodeTooManyBlocked, "This user has blocked as many as they may; unblock somebody first.")
	case errors.Is(err, errBlockingSelf):
		refusal := wire.Refuse(wire.CodeBadRequest, "One cannot block oneself.")
		refusal.Field = "uid"
		return refusal
	}
	return nil
}

func (s *Server) blockedUsers(ctx context.Context, uid string, p wire.BlockedParams) (wire.BlockedResult, error) {
	uids, more, err := s.deps.Directory.Blocked(ctx, uid, p.Cursor, p.Size())
	if err != nil {
		return wire.BlockedResult{}, err
	}
	var page wire.BlockedResult
	for _, other := range uids {
		page.Users = append(page.Users, s.user(ctx, other))
	}
	if more {
		page.Next = uids[len(uids)-1]
	}
	return page, nil
}

// MayList takes one request that reads a whole list from a user's rate, or says how long to wait.
func (d *Directory) MayList(now time.Time, uid string) (time.Duration, bool) {
	return allow(d.lists.user(now, uid), now)
}

// oneSession refuses what is not about the session that a token is confined to.
func oneSession() *wire.Error {
	return wire.Refuse(wire.CodeNotAllowed, "This token is good for one session only.")
}

// blocked refuses a call between two of whom one has blocked the other. The profiles that the ring will show are read at the same time:
// each read may have to wait for the disk, which is busy with other calls.
func (s *Server) blocked(ctx context.Context, caller, called string) *wire.Error {
	sides := [2]struct {
		by, of, code, message string
		blocks                bool
	}{
		{by: caller, of: called, code: wire.CodeBlockedReceiver, message: "You have blocked this user."},
		{by: called, of: caller, code: wire.CodeBlockedSender, message: "This user has blocked you."},
	}
	var reads errgroup.Group
	for i := range sides {
		side := &sides[i]
		reads.Go(func() (err error) {
			side.blocks, err = s.deps.Directory.Blocks(ctx, side.by, side.of)
			return err
		})
		reads.Go(func() error {
			s.user(ctx, side.by) // the directory remembers it for some seconds
			return nil
		})
	}
	if err := reads.Wait(); err != nil {
		s.log.Error("reading a block list failed", "error", err)
		return wire.Internal()
	}
	for _, side := range sides {
		if side.blocks {
			return wire.Refuse(side.code, side.message)
		}
	}
	return nil
}
