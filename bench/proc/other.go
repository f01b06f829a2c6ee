//go:build !linux

package proc

import (
	"errors"
	"net/netip"
	"time"
)

// ErrGone says that there is no such process (any more).
var ErrGone = errors.New("the process has ended")

// Of answers errors.ErrUnsupported.
func Of(int) (Usage, error) { return Usage{}, errors.ErrUnsupported }

// CPU answers errors.ErrUnsupported.
func CPU(int) (time.Duration, error) { return 0, errors.ErrUnsupported }

// Self answers errors.ErrUnsupported.
func Self() (time.Duration, error) { return 0, errors.ErrUnsupported }

// Busy answers errors.ErrUnsupported.
func Busy() (time.Duration, error) { return 0, errors.ErrUnsupported }

// Cores answers errors.ErrUnsupported.
func Cores() ([]int, error) { return nil, errors.ErrUnsupported }

// CoresOf answers errors.ErrUnsupported.
func CoresOf(int) ([]int, error) { return nil, errors.ErrUnsupported }

// PinSelf answers errors.ErrUnsupported.
func PinSelf([]int) error { return errors.ErrUnsupported }

// Favour does nothing.
func Favour() {}

// OnCores runs f when neither cores nor a namespace are asked for.
func OnCores(cores []int, ns *Namespace, f func() error) error {
	if len(cores) > 0 || ns != nil {
		return errors.ErrUnsupported
	}
	return f()
}

// Namespace is a network namespace; here there are none.
type Namespace struct{ Ours, Theirs netip.Addr }

// NewNamespace answers errors.ErrUnsupported.
func NewNamespace() (*Namespace, error) { return nil, errors.ErrUnsupported }

// Close does nothing.
func (*Namespace) Close() {}
