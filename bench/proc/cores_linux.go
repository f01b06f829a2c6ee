package proc

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Cores lists the CPUs that this process may run on.
func Cores() ([]int, error) { return CoresOf(0) }

// PinSelf keeps every thread of this process, and those to come, on some cores.
func PinSelf(cores []int) error {
	set := setOf(cores)
	// A thread that starts meanwhile inherits from one that is pinned or will be seen in the second round.
	for range 2 {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil {
				continue
			}
			if err := unix.SchedSetaffinity(tid, &set); err != nil && err != unix.ESRCH {
				return fmt.Errorf("pin to cores %v: %w", cores, err)
			}
		}
	}
	return nil
}

// OnCores runs f on a thread of its own that is pinned to some cores and in a network namespace: a process that f starts
// inherits both. No cores leaves the cores as they are; a nil namespace leaves the network as it is.
func OnCores(cores []int, ns *Namespace, f func() error) error {
	done := make(chan error, 1)
	go func() { // ends with f
		runtime.LockOSThread() // and never unlocks: the thread ends with the goroutine, so nobody inherits its pinning
		if len(cores) > 0 {
			set := setOf(cores)
			if err := unix.SchedSetaffinity(0, &set); err != nil {
				done <- fmt.Errorf("pin to cores %v: %w", cores, err)
				return
			}
		}
		if ns != nil {
			if err := ns.enter(); err != nil {
				done <- err
				return
			}
		}
		done <- f()
	}()
	return <-done
}

// favoured is the nice value of a favoured thread: above everything usual, below what the system itself needs.
const favoured = -10

// Favour has the scheduler prefer the calling thread, where that is allowed: to root, mostly.
func Favour() {
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, favoured) // without it the thread waits its turn
}

func setOf(cores []int) unix.CPUSet {
	var set unix.CPUSet
	for _, c := range cores {
		set.Set(c)
	}
	return set
}

// CoresOf lists the CPUs that a process may run on.
func CoresOf(pid int) ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &set); err != nil {
		return nil, fmt.Errorf("read the CPU affinity: %w", err)
	}
	var cores []int
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			cores = append(cores, i)
		}
	}
	return cores, nil
}
