package signaling

import (
	"context"
	"errors"
	"slices"

	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

// maxBlocked bounds whom one user may block.
const maxBlocked = 1000

var errTooManyBlocked = errors.New("signaling: too many users are blocked")

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

// block notes that a user does not want to be called by another, who may never have been seen.
func (d *Directory) block(ctx context.Context, uid, other string) error {
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

// unblock takes that back.
func (d *Directory) unblock(ctx context.Context, uid, other string) error {
	return d.write(ctx, store.Change{Key: blockKey(uid, other), Blind: true})
}

// blocked lists whom a user has blocked, in the order in which they did.
func (d *Directory) blocked(ctx context.Context, uid string) ([]string, error) {
	return d.under(ctx, blocksKey(uid))
}

// blocked refuses a call between two of whom one has blocked the other.
func (s *Server) blocked(ctx context.Context, caller, called string) *wire.Error {
	for _, side := range []struct{ by, of, code, message string }{
		{caller, called, wire.CodeBlockedReceiver, "You have blocked this user."},
		{called, caller, wire.CodeBlockedSender, "This user has blocked you."},
	} {
		blocks, err := s.deps.Directory.Blocks(ctx, side.by, side.of)
		switch {
		case err != nil:
			s.log.Error("reading a block list failed", "error", err)
			return wire.Internal()
		case blocks:
			return wire.Refuse(side.code, side.message)
		}
	}
	return nil
}
