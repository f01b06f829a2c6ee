package signaling

import (
	"sync"
	"time"

	"github.com/parleyrtc/parley/signaling/idem"
	"github.com/parleyrtc/parley/signaling/wire"
)

// The bounds of the memory for answers to mutations.
const (
	keepAnswers    = 5 * time.Minute
	maxAnswers     = 100_000
	maxUserAnswers = 256
)

// mutations makes each mutation happen once: a retry gets the first answer, also while the first attempt is under way.
type mutations struct {
	// Guarded by mu.
	mu    sync.Mutex
	cache *idem.Cache[*mutationOutcome]
}

// mutationOutcome is the fate of one mutation.
type mutationOutcome struct {
	method  string
	done    bool
	result  any
	refusal *wire.Error
	waiting []answer // retries that came before the end
}

func newMutations() *mutations {
	return &mutations{cache: idem.New[*mutationOutcome](idem.Limits{Keep: keepAnswers, Total: maxAnswers, PerUser: maxUserAnswers})}
}

// begin reports whether the mutation should be carried out now, and how to answer it then. If not, reply gets the answer of
// the first attempt as soon as there is one.
func (m *mutations) begin(now time.Time, key idem.Key, method string, reply answer) (answer, bool) {
	m.mu.Lock()
	outcome, again := m.cache.Get(now, key)
	switch {
	case !again:
		outcome = &mutationOutcome{method: method}
		m.cache.Put(now, key, outcome)
		m.mu.Unlock()
		return once(func(result any, refusal *wire.Error) {
			waiting := m.end(key, outcome, result, refusal)
			for _, reply := range append(waiting, reply) {
				reply(result, refusal)
			}
		}), true
	case outcome.method != method:
		m.mu.Unlock()
		refusal := wire.Refuse(wire.CodeBadRequest, "This mutationId was used for another method.")
		refusal.Field = "mutationId"
		reply(nil, refusal)
	case outcome.done:
		m.mu.Unlock()
		reply(outcome.result, outcome.refusal)
	default:
		outcome.waiting = append(outcome.waiting, reply)
		m.mu.Unlock()
	}
	return nil, false
}

// end notes the answer and returns who else waits for it.
func (m *mutations) end(key idem.Key, outcome *mutationOutcome, result any, refusal *wire.Error) []answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting := outcome.waiting
	outcome.done, outcome.result, outcome.refusal, outcome.waiting = true, result, refusal, nil
	if refusal != nil && passing(refusal.Code) {
		m.cache.Drop(key)
	}
	return waiting
}

// passing reports whether a refusal says nothing about the mutation itself, so that the same attempt may be made again.
func passing(code string) bool {
	switch code {
	case wire.CodeInternal, wire.CodeTooManyRequests, wire.CodeTokenExpired, wire.CodeDraining:
		return true
	}
	return false
}
