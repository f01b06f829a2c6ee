package proc

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace of our own that a veth pair joins to the one we are in. It lasts until Close and until
// the last process in it has ended.
type Namespace struct {
	Ours, Theirs netip.Addr // addresses of the two ends

	handle *os.File
	device string // our end
}

// NewNamespace makes a network namespace. It needs root and the program ip (iproute2).
func NewNamespace() (*Namespace, error) {
	type result struct {
		handle *os.File
		err    error
	}
	made := make(chan result, 1)
	go func() { // ends at once, and its thread with it
		runtime.LockOSThread() // and never unlocks: this thread is in the new namespace
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- result{err: fmt.Errorf("make a network namespace: %w", err)}
			return
		}
		handle, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
		made <- result{handle, err}
	}()
	r := <-made
	if r.err != nil {
		return nil, r.err
	}
	// 198.18.0.0/15 is set aside for benchmarks (RFC 2544); chance keeps two runs on one machine apart.
	net := rand.Uint32()
	second, third := 18+byte(net>>8)%2, byte(net)
	n := &Namespace{
		Ours: netip.AddrFrom4([4]byte{198, second, third, 1}), Theirs: netip.AddrFrom4([4]byte{198, second, third, 2}),
		handle: r.handle, device: fmt.Sprintf("pb%08x", net),
	}
	if err := n.join(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// join lays the veth pair.
func (n *Namespace) join() error {
	peer := n.device + "s"
	// The file descriptor is the third of the child: nothing else names the namespace.
	for _, args := range [][]string{
		{"link", "add", n.device, "type", "veth", "peer", "name", peer, "netns", "/proc/self/fd/3"},
		{"addr", "add", n.Ours.String() + "/24", "dev", n.device},
		{"link", "set", n.device, "up"},
	} {
		if err := n.ip(args); err != nil {
			return err
		}
	}
	return OnCores(nil, n, func() error {
		for _, args := range [][]string{
			{"addr", "add", n.Theirs.String() + "/24", "dev", peer},
			{"link", "set", peer, "up"},
			{"link", "set", "lo", "up"},
		} {
			if err := n.ip(args); err != nil {
				return err
			}
		}
		return nil
	})
}

func (n *Namespace) ip(args []string) error {
	cmd := exec.Command("ip", args...)
	cmd.ExtraFiles = []*os.File{n.handle}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (n *Namespace) enter() error {
	if err := unix.Setns(int(n.handle.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the network namespace: %w", err)
	}
	return nil
}

// Close takes the veth pair away and lets go of the namespace.
func (n *Namespace) Close() {
	_ = n.ip([]string{"link", "del", n.device}) // it may have gone with the namespace
	n.handle.Close()
}
