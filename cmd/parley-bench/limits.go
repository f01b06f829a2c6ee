package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/parleyrtc/parley/bench/report"
)

// fraction is a share, written 0.1% or 0.001.
type fraction float64

// UnmarshalText reads the flag.
func (f *fraction) UnmarshalText(text []byte) error {
	raw, isPercent := strings.CutSuffix(strings.TrimSpace(string(text)), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(raw), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return fmt.Errorf("%q is not a share; write 0.1%% or 0.001", text)
	}
	if isPercent {
		v /= 100
	}
	*f = fraction(v)
	return nil
}

// limits are the thresholds that decide the exit code.
type limits struct {
	MaxLoss       *fraction         `group:"limits" placeholder:"0.1%" help:"Most loss."`
	MaxP99        *time.Duration    `group:"limits" name:"max-p99" placeholder:"5ms" help:"Highest p99 of every latency in the report."`
	MaxRatio      *float64          `group:"limits" placeholder:"2" help:"Highest CPU per packet relative to the floor."`
	MaxCPU        *time.Duration    `group:"limits" name:"max-cpu" placeholder:"3us" help:"Most server CPU per packet."`
	Max           map[string]string `group:"limits" placeholder:"KEY=VALUE" help:"Highest value of any figure, by its JSON key, such as ring_us.p50=20ms. May be repeated."`
	Min           map[string]string `group:"limits" placeholder:"KEY=VALUE" help:"The same for the lowest, such as setups_per_second=50."`
	MaxRegression *fraction         `group:"limits" placeholder:"10%" help:"With --baseline: how much worse than it a figure may be, beyond the noise."`
}

// thresholds are the limits as the report checks them.
func (l limits) thresholds() ([]report.Threshold, error) {
	var out []report.Threshold
	if l.MaxLoss != nil {
		out = append(out, report.Threshold{Name: "--max-loss", Key: "*loss", Limit: float64(*l.MaxLoss)})
	}
	if l.MaxP99 != nil {
		out = append(out, report.Threshold{Name: "--max-p99", Key: "*p99", Limit: float64(l.MaxP99.Nanoseconds()) / 1e3})
	}
	if l.MaxRatio != nil {
		out = append(out, report.Threshold{Name: "--max-ratio", Key: "ratio", Limit: *l.MaxRatio})
	}
	if l.MaxCPU != nil {
		out = append(out, report.Threshold{Name: "--max-cpu", Key: "*cpu_ns_per_packet", Limit: float64(l.MaxCPU.Nanoseconds())})
	}
	for _, side := range []struct {
		flag string
		of   map[string]string
	}{{"--max", l.Max}, {"--min", l.Min}} {
		for key, raw := range side.of {
			value, err := parseValue(key, raw)
			if err != nil {
				return nil, fmt.Errorf("%w: %s %s: %w", errUsage, side.flag, key, err)
			}
			out = append(out, report.Threshold{Name: side.flag + " " + key, Key: key, Limit: value, Min: side.flag == "--min"})
		}
	}
	return out, nil
}

// parseValue reads a plain number, a percentage, or a time, which is turned into the unit that the key names.
func parseValue(key, raw string) (float64, error) {
	if v, err := strconv.ParseFloat(raw, 64); err == nil && !math.IsNaN(v) {
		return v, nil
	}
	if strings.HasSuffix(raw, "%") {
		var f fraction
		err := f.UnmarshalText([]byte(raw))
		return float64(f), err
	}
	d, err := time.ParseDuration(raw)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number nor a share (1%%) nor a time (5ms)", raw)
	}
	head, _, _ := strings.Cut(key, ".")
	for _, part := range strings.Split(key, ".") { // "udp.allocate_us.p99"
		if strings.HasSuffix(part, "_us") {
			head = part
		}
	}
	switch {
	case strings.HasSuffix(head, "_us") || strings.Contains(key, "_us_per_"):
		return float64(d.Nanoseconds()) / 1e3, nil
	case strings.Contains(key, "_ns_per_"):
		return float64(d.Nanoseconds()), nil
	case strings.HasSuffix(key, "_seconds"):
		return d.Seconds(), nil
	}
	return 0, fmt.Errorf("the figure is no time, so %q does not fit it", raw)
}
