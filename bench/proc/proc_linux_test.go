package proc

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestTheClockOfAProcessCountsItsChildren(t *testing.T) {
	// The shell's child burns CPU and lives on, waiting for its input to end.
	cmd := exec.Command("sh", "-c", `sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; read x'; true`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	used, err := CPU(cmd.Process.Pid)
	if err != nil || used < 20*time.Millisecond {
		t.Errorf("%v of CPU, %v; want what the child used, tens of milliseconds", used, err)
	}
	usage, err := Of(cmd.Process.Pid)
	if err != nil || usage.CPU < used || usage.RSS < 100<<10 || usage.Threads != 2 || usage.FDs < 6 {
		t.Errorf("%+v, %v", usage, err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := CPU(cmd.Process.Pid); !errors.Is(err, ErrGone) {
		t.Errorf("an ended process: %v", err)
	}
}

func TestOwnTimeGrowsWithWork(t *testing.T) {
	busy, err := Busy()
	if err != nil {
		t.Fatal(err)
	}
	before, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	until := before + 40*time.Millisecond
	for used := before; used < until; {
		if used, err = Self(); err != nil {
			t.Fatal(err)
		}
	}
	all, err := CPU(os.Getpid())
	if err != nil || all < until {
		t.Fatalf("%v from outside, %v from inside, %v", all, until, err)
	}
	if now, err := Busy(); err != nil || now < busy+20*time.Millisecond { // it counts by ticks, and not every one hits
		t.Fatalf("the machine worked %v meanwhile, %v", now-busy, err)
	}
}

func TestAChildInheritsItsCores(t *testing.T) {
	cores, err := Cores()
	if err != nil || len(cores) == 0 {
		t.Fatal(cores, err)
	}
	var out []byte
	err = OnCores(cores[:1], nil, func() error {
		var err error
		out, err = exec.Command("sh", "-c", "nproc").Output()
		return err
	})
	if err != nil || string(out) != "1\n" {
		t.Fatalf("a child on one core sees %q, %v", out, err)
	}
	if now, err := Cores(); err != nil || len(now) != len(cores) {
		t.Fatalf("we are on %v now, before on %v, %v", now, cores, err)
	}
}

func TestANamespaceIsReachedThroughItsAddress(t *testing.T) {
	ns, err := NewNamespace()
	if err != nil {
		t.Logf("no network namespace here: %v", err) // not root, or no iproute2: both are allowed
		return
	}
	defer ns.Close()
	var out []byte
	err = OnCores(nil, ns, func() error {
		var err error
		out, err = exec.Command("ip", "-4", "-o", "addr").Output()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	if want := ns.Theirs.String(); !strings.Contains(text, want) || strings.Contains(text, ns.Ours.String()+"/") {
		t.Fatalf("inside:\n%s\nwant %s only", text, want)
	}
}
