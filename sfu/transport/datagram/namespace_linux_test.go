package datagram

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// silent is an address on an Ethernet where nobody answers. The kernel keeps what goes there, and its room in the socket's
// buffer, until it knows that (ARP, seconds later): the one way to a full send buffer that needs no traffic shaper.
var silent = netip.MustParseAddrPort("198.18.0.9:9")

// inSilentNetwork opens a socket beside that address, in a network namespace of its own.
func inSilentNetwork(t *testing.T, opts Options) *Shared {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root and the program ip")
	}
	type result struct {
		sockets []*Shared
		err     error
	}
	done := make(chan result)
	go func() { // its thread ends with it
		runtime.LockOSThread() // and never unlocks: this thread is in the new namespace
		var r result
		if r.err = enterSilentNetwork(); r.err == nil {
			r.sockets, r.err = ListenShared(netip.MustParseAddrPort("198.18.0.1:0"), 1, opts)
		}
		done <- r
	}()
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { r.sockets[0].Close() }) // and the namespace goes with it
	return r.sockets[0]
}

func enterSilentNetwork() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make a network namespace: %w", err)
	}
	for _, args := range []string{
		"link add here type veth peer name there", "addr add 198.18.0.1/24 dev here", "link set here up", "link set there up",
	} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	return nil
}
