// Package store keeps what must survive a crash: calls, users, groups.
package store

import (
	"context"
	"errors"
	"time"
)

// The errors a caller can act on. Everything else is the store's failure.
var (
	// ErrNotFound: there is no record with this key.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict: a record was not at the revision the commit expected. Nothing was written; read again and decide anew.
	ErrConflict = errors.New("store: conflict")
	// ErrTooLarge: the commit is over one of the bounds below. Nothing was written.
	ErrTooLarge = errors.New("store: too large")
	// ErrBadKey: a key is empty, or is there twice in one commit. Nothing was written.
	ErrBadKey = errors.New("store: bad key")
	// ErrBadTTL: a TTL is under a second, of a deletion, or of one change among several. Nothing was written.
	ErrBadTTL = errors.New("store: bad TTL")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store: closed")
)

// The bounds of one commit.
const (
	MaxValue   = 512 << 10 // bytes of one value
	MaxKey     = 256       // bytes of one key
	MaxChanges = 200       // changes in one commit
	MaxCommit  = 4 << 20   // bytes of all values in one commit
)

// Record is one value and its place in history. Revisions grow with every commit and are never used twice.
type Record struct {
	Key      string
	Value    []byte
	Revision uint64
}

// Change is one write of a commit.
type Change struct {
	Key   string // elements separated by '/', such as call/<id>; any bytes, and the store keeps them apart
	Value []byte // nil deletes; an empty value that is not nil is a value
	// Expect is the revision that the record must have now; 0 means that it must not exist, also after it was deleted.
	Expect uint64
	// Blind writes whatever the revision is.
	Blind bool
	// TTL is how long the record lives, at least a second; 0 is for ever. Only the one change of a commit may have it.
	TTL time.Duration
}

// Store is durable state. All methods may be called from several goroutines, and see everything that was committed before they
// were called.
type Store interface {
	// Get reads one record, or ErrNotFound.
	Get(ctx context.Context, key string) (Record, error)
	// Commit writes all changes or none. When it returns without error they are on disk; the result has the new revision of
	// each change in order. A context that ends, or a connection that breaks, leaves it open whether the commit happened.
	Commit(ctx context.Context, changes []Change) ([]uint64, error)
	// List reads the records below a prefix of whole elements: "call" and "call/" both find call/<id>, "ca" does not. An empty
	// prefix lists everything. The order is that of the revisions.
	List(ctx context.Context, prefix string) ([]Record, error)
	// Scan hands over every record below a prefix in the order of the revisions, with the time at which it ends by itself (zero:
	// never). It is for reading very many at the start; what is written meanwhile may be missing.
	Scan(ctx context.Context, prefix string, each func(r Record, expires time.Time) error) error
	// At reads the record that was written with a revision, or ErrNotFound when it was written again since, or is gone.
	At(ctx context.Context, revision uint64) (Record, error)
	// Close waits until everything is released. Later calls give ErrClosed.
	Close() error
}
