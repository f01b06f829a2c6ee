package signaling

import (
	"context"
	"errors"
	"net/http"

	"github.com/parleyrtc/parley/signaling/wire"
)

// BlockedList is whom a user has blocked.
type BlockedList struct {
	Blocked []wire.UserView `json:"blocked" nullable:"false"`
}

// BlockPath names a user and one whom they block.
type BlockPath struct {
	UIDPath
	Other string `path:"other" minLength:"1" maxLength:"128" pattern:"^[A-Za-z0-9._@:+-]+$"`
}

func (r *REST) registerBlocks() {
	register(r, operation{id: "list-blocked", method: http.MethodGet, path: "/v1/users/{uid}/blocked", access: anyone,
		summary: "List whom a user has blocked"}, r.listBlocked)
	register(r, operation{id: "block-user", method: http.MethodPut, path: "/v1/users/{uid}/blocked/{other}", access: anyone,
		summary: "Block a user: neither of the two can ring the other", errors: []int{http.StatusConflict}},
		func(ctx context.Context, in *BlockPath) (*struct{}, error) {
			if err := r.ownList(ctx, in.UID); err != nil {
				return nil, err
			}
			err := r.deps.Directory.Block(ctx, in.UID, in.Other)
			switch {
			case errors.Is(err, errBlockingSelf):
				return nil, badField("path.other", "One cannot block oneself.")
			case errors.Is(err, errTooManyBlocked):
				return nil, blockRefusal(err)
			}
			return nil, err
		})
	register(r, operation{id: "unblock-user", method: http.MethodDelete, path: "/v1/users/{uid}/blocked/{other}", access: anyone,
		summary: "Unblock a user; one who is not blocked stays so"},
		func(ctx context.Context, in *BlockPath) (*struct{}, error) {
			if err := r.ownList(ctx, in.UID); err != nil {
				return nil, err
			}
			return nil, r.deps.Directory.Unblock(ctx, in.UID, in.Other)
		})
}

// ownList refuses a user somebody else's list, and an API key that may only read a change; who may read, admit has said.
func (r *REST) ownList(ctx context.Context, uid string) error {
	who := callerOf(ctx)
	if _, err := actFor(who, uid); err != nil {
		return err
	}
	return r.mayList(who)
}

// mayList takes a request that reads a whole list from its user's rate; API keys have none, and an open server, where every page looks
// at the groups every few seconds, has only its usual ones.
func (r *REST) mayList(who caller) error {
	if who.isServer() || r.config.OpenLogin {
		return nil
	}
	if wait, allowed := r.deps.Directory.MayList(r.now(), who.uid); !allowed {
		return tooMany(wait)
	}
	return nil
}

func (r *REST) listBlocked(ctx context.Context, in *UIDPath) (*body[BlockedList], error) {
	if who := callerOf(ctx); !who.isServer() && who.uid != in.UID {
		return nil, forbidden("A user sees their own list only.")
	} else if err := r.mayList(who); err != nil {
		return nil, err
	}
	uids, err := r.deps.Directory.blocked(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	users, err := r.profiles(ctx, uids)
	if err != nil {
		return nil, err
	}
	return reply(BlockedList{Blocked: users}), nil
}
