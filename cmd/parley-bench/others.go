package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/parleyrtc/parley/bench/proc"
)

// clockTick is the unit of /proc/stat, which is the same on every Linux (USER_HZ).
const clockTick = 10 * time.Millisecond

// others measures what processes other than the server and the clients use of the machine, for they spoil the figures.
type others struct {
	began time.Time
	all   time.Duration // CPU time of the whole machine when it began
	ours  time.Duration
	pid   int // a server that is no child of ours, or 0
}

// watchOthers begins to measure.
func watchOthers(pid int) others {
	o := others{began: now(), pid: pid}
	o.all, _ = machineCPU()
	o.ours = o.ourCPU()
	return o
}

// cores is what the others used since, in cores. It is below zero where the system does not say.
func (o others) cores() float64 {
	all, ok := machineCPU()
	passed := now().Sub(o.began)
	if !ok || passed <= 0 {
		return -1
	}
	return max(0, float64(all-o.all-(o.ourCPU()-o.ours))/float64(passed))
}

// ourCPU is the CPU time of this process, its children, and the server.
func (o others) ourCPU() time.Duration {
	used, _ := proc.CPU(os.Getpid()) // where it cannot be read, machineCPU cannot either
	if o.pid != 0 {
		server, _ := proc.CPU(o.pid) // a server that died used nothing since
		used += server
	}
	return used
}

// machineCPU is the time that the cores did not idle, and that the host took away from this virtual machine (proc(5)).
func machineCPU() (time.Duration, bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, false
	}
	var ticks int64
	for i, field := range fields[1:9] { // user nice system idle iowait irq softirq steal
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, false
		}
		if i != 3 && i != 4 {
			ticks += n
		}
	}
	return time.Duration(ticks) * clockTick, true
}
