package bench

import "errors"

// What keeps a scenario from measuring anything. Each is wrapped with one sentence that says what happened and what to do;
// parley-bench gives each its own exit code.
var (
	ErrUnreachable  = errors.New("the server cannot be reached")
	ErrUnauthorized = errors.New("the server refuses the credentials")
	ErrServerDied   = errors.New("the server died")
	ErrNoAccounting = errors.New("what the server uses cannot be read")
	ErrRemote       = errors.New("the target is another machine")
	ErrShape        = errors.New("the scenario cannot have this shape")
	ErrNamespace    = errors.New("network namespaces cannot be made")
)
