// Package floor forwards with no SFU: what any server of the same shape has to do at least.
//
// A floor is a process of its own, on the server's cores, that is fed by the same publishers' sockets as the server and
// sends to the same subscribers' sockets. Of every batch that the kernel hands it, it opens each packet, seals it once for
// every subscriber under that subscriber's key, and sends with one UDP_SEGMENT train per subscriber and sendmmsg for
// many. There are no rooms, no numbers to keep, no feedback: the difference to a server's cost is what its decisions cost.
package floor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"

	"github.com/parleyrtc/parley/bench/proc"
)

// childVariable marks the process that becomes the floor.
const childVariable = "PARLEY_BENCH_FLOOR"

// Config is what a floor forwards. Packets of all publishers go to all subscribers of the same room.
type Config struct {
	Listen      netip.AddrPort // port 0 takes a free one
	Publishers  []Publisher
	Subscribers []Subscriber
}

// Publisher is a source of packets, known by its SSRC.
type Publisher struct {
	SSRC uint32
	Room int
	Key  []byte // of NewCipher
}

// Subscriber is a socket that gets everything of its room.
type Subscriber struct {
	Addr netip.AddrPort
	Room int
	Key  []byte // of NewCipher
}

// Child turns this process into a floor if it was started as one, and then never returns. It is the first statement of every
// main, and TestMain, that calls Start.
func Child() {
	if os.Getenv(childVariable) == "" {
		return
	}
	signal.Ignore(os.Interrupt) // Ctrl-C on a terminal is for the parent, which still wants to know our CPU time
	if err := child(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child reads the config, says where it listens, and forwards until its input ends.
func child(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	var cfg Config
	if err := json.Unmarshal(line, &cfg); err != nil {
		return err
	}
	f, err := open(cfg)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, f.socket.Local()); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- f.run() }() // ends with the process
	ended := make(chan struct{})
	go func() { // ends with the parent, at the latest
		_, _ = io.Copy(io.Discard, lines) // nothing more is said
		close(ended)
	}()
	select {
	case err := <-failed:
		return err
	case <-ended:
		return nil
	}
}

// Process is a running floor. Its methods want one caller at a time.
type Process struct {
	Addr netip.AddrPort // where it takes packets

	cmd *exec.Cmd
	in  io.WriteCloser
}

// Start runs this program's own binary as a floor on some cores and in a network namespace, both as in proc.OnCores.
func Start(cfg Config, cores []int, ns *proc.Namespace) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := proc.OnCores(cores, ns, cmd.Start); err != nil {
		return nil, fmt.Errorf("start the floor: %w", err)
	}
	p := &Process{cmd: cmd, in: in}
	if err := p.configure(cfg, out); err != nil {
		p.Close()
		return nil, fmt.Errorf("start the floor: %w", err)
	}
	return p, nil
}

func (p *Process) configure(cfg Config, out io.Reader) error {
	if err := json.NewEncoder(p.in).Encode(cfg); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return err
	}
	p.Addr, err = netip.ParseAddrPort(line[:len(line)-1])
	return err
}

// PID is the process id, for its CPU time.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Close ends the process and waits for it.
func (p *Process) Close() {
	p.in.Close()
	_ = p.cmd.Wait() // a floor has no result
}
