package transport

import (
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"
)

// roamAfter is how long the selected way must have been silent before another takes its place. Our own checks are answered
// over it every two seconds, so this is more than one that got lost.
const roamAfter = 3 * time.Second

// roaming follows a client whose address changed without its noticing, as when a NAT gives it another port. The client then
// has no reason to nominate anything (RFC 8445 §8.1.1), and pion on its own would go on sending to where nobody is.
type roaming struct {
	selected atomic.Pointer[string]   // remote address of the pair in use
	remotes  map[string]ice.Candidate // by address, those that checks came from; owned by the ICE agent's goroutine
}

// address is how both of pion's views of a remote candidate name the same one.
func address(network, host string, port int) string {
	return network + " " + net.JoinHostPort(host, strconv.Itoa(port))
}

// chosen notes which pair is in use.
func (r *roaming) chosen(pair *webrtc.ICECandidatePair) {
	remote := address(pair.Remote.Protocol.String(), pair.Remote.Address, int(pair.Remote.Port))
	r.selected.Store(&remote)
}

// check sees every authenticated check of the client, and says whether its pair is to be used from here on. A check may be
// a copy that somebody else sends from elsewhere: only an answer to a check of our own proves that the client is there, and
// only silence that it is no longer where it was.
func (r *roaming) check(_ *stun.Message, _, remote ice.Candidate, pair *ice.CandidatePair) bool {
	if r.remotes == nil || len(r.remotes) >= 2*maxRemotes {
		r.remotes = map[string]ice.Candidate{} // after many restarts of ICE
	}
	from := address(remote.NetworkType().NetworkShort(), remote.Address(), remote.Port())
	r.remotes[from] = remote
	selected := r.selected.Load()
	if selected == nil || *selected == from || pair.ResponsesReceived() == 0 {
		return false
	}
	used := r.remotes[*selected]
	return used != nil && time.Since(used.LastReceived()) >= roamAfter
}
