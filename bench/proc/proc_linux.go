package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrGone says that there is no such process (any more).
var ErrGone = errors.New("the process has ended")

// clockTick is the unit of the times in /proc/pid/stat, which is the same on every Linux (USER_HZ).
const clockTick = 10 * time.Millisecond

// Of reads what a process and its descendants use.
func Of(pid int) (Usage, error) {
	var sum Usage
	for _, p := range family(pid) {
		u, err := one(p)
		if err != nil {
			if p == pid {
				return Usage{}, err
			}
			continue // a child may end at any time
		}
		sum.CPU += u.CPU
		sum.RSS += u.RSS
		sum.Threads += u.Threads
		sum.FDs += u.FDs
	}
	return sum, nil
}

// CPU is the CPU time of a process and its descendants to the nanosecond, for short intervals.
func CPU(pid int) (time.Duration, error) {
	var sum time.Duration
	for _, p := range family(pid) {
		used, err := clock(p)
		if err == nil {
			var s stat
			if s, err = readStat(p); err == nil {
				used += s.waited
			}
		}
		if err != nil {
			if p == pid {
				return 0, err
			}
			continue
		}
		sum += used
	}
	return sum, nil
}

// Self is the CPU time of this process, without its children.
func Self() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}

// clock is a process's own CPU clock (clock_getcpuclockid(3)), which the kernel keeps in nanoseconds. Where it may not be
// read, /proc/pid/stat has the same in steps of 10 ms.
func clock(pid int) (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err == nil {
		return time.Duration(ts.Nano()), nil
	}
	s, err := readStat(pid)
	return s.used, err
}

// family is the process and its descendants.
func family(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i])) // the pattern is good
		for _, list := range lists {
			text, err := os.ReadFile(list)
			if err != nil {
				continue // the thread has ended
			}
			for _, field := range strings.Fields(string(text)) {
				if child, err := strconv.Atoi(field); err == nil {
					all = append(all, child)
				}
			}
		}
	}
	return all
}

func one(pid int) (Usage, error) {
	used, err := clock(pid)
	if err != nil {
		return Usage{}, err
	}
	s, err := readStat(pid)
	if err != nil {
		return Usage{}, err
	}
	u := Usage{CPU: used + s.waited, RSS: s.rss, Threads: s.threads}
	if fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
		u.FDs = len(fds)
	}
	return u, nil
}

// stat is what we read of /proc/pid/stat (proc_pid_stat(5)).
type stat struct {
	used, waited time.Duration // own; of children that were waited for
	threads      int
	rss          uint64
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, fmt.Errorf("%w: process %d", ErrGone, pid)
	}
	// The name in parentheses may hold anything; what follows are numbers, the first being field 3.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 22 || fields[0][0] == 'Z' {
		return stat{}, fmt.Errorf("%w: process %d", ErrGone, pid)
	}
	number := func(field int) int64 {
		n, _ := strconv.ParseInt(string(fields[field-3]), 10, 64) // the kernel writes numbers
		return n
	}
	return stat{
		used:    time.Duration(number(14)+number(15)) * clockTick,
		waited:  time.Duration(number(16)+number(17)) * clockTick,
		threads: int(number(20)),
		rss:     uint64(number(24)) * uint64(os.Getpagesize()),
	}, nil
}

// Busy is the CPU time that all of this machine has used since it started, with what a hypervisor took from it, in steps of
// 10 ms. Less what is known, it tells how much others disturb.
func Busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return 0, errors.New("/proc/stat does not parse")
	}
	var ticks int64
	for i, field := range fields[1:9] {
		if i == 3 || i == 4 { // idle, waiting for a disk
			continue
		}
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat does not parse: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}
