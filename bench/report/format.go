package report

import (
	"fmt"
	"math"
	"strconv"
)

// Format prints a value with its unit, to about three digits, as a person would write it.
func Format(value float64, unit Unit) string {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return "–"
	}
	switch unit {
	case Nanoseconds:
		return duration(value)
	case Microseconds:
		return duration(value * 1e3)
	case Milliseconds:
		return duration(value * 1e6)
	case Seconds:
		return duration(value * 1e9)
	case Bytes:
		return size(value)
	case BitsPerSecond:
		return bitrate(value)
	case BytesPerHour:
		return size(value) + "/h"
	case Times:
		return fmt.Sprintf("%.2f ×", value)
	case Fraction:
		return percent(value)
	case PerHour:
		return percent(value) + "/h"
	case PerSecond:
		return number(value) + "/s"
	case Cores:
		return fmt.Sprintf("%.2f cores", value)
	}
	return number(value)
}

// digits prints three significant digits, and all digits before the point.
func digits(v float64) string {
	switch a := math.Abs(v); {
	case a >= 99.95 || a == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// duration prints nanoseconds.
func duration(ns float64) string {
	switch a := math.Abs(ns); {
	case a < 999.5:
		return digits(ns) + " ns"
	case a < 999.5e3:
		return digits(ns/1e3) + " µs"
	case a < 999.5e6:
		return digits(ns/1e6) + " ms"
	case a < 600e9:
		return digits(ns/1e9) + " s"
	}
	return digits(ns/60e9) + " min"
}

// size prints bytes with binary prefixes.
func size(v float64) string {
	for _, prefix := range []string{"B", "KiB", "MiB", "GiB"} {
		if math.Abs(v) < 1023.5 || prefix == "GiB" {
			return digits(v) + " " + prefix
		}
		v /= 1024
	}
	return ""
}

// bitrate prints bits per second with decimal prefixes, as links are sold.
func bitrate(v float64) string {
	for _, prefix := range []string{"bit/s", "kbit/s", "Mbit/s", "Gbit/s"} {
		if math.Abs(v) < 999.5 || prefix == "Gbit/s" {
			return digits(v) + " " + prefix
		}
		v /= 1000
	}
	return ""
}

// percent prints a fraction; small ones keep the digits that matter for loss.
func percent(v float64) string {
	switch a := math.Abs(v * 100); {
	case a != 0 && a < 0.0005:
		return "< 0.001 %"
	case a != 0 && a < 0.0995:
		return strconv.FormatFloat(v*100, 'f', 3, 64) + " %"
	case a < 99.5:
		return strconv.FormatFloat(v*100, 'f', 2, 64) + " %"
	}
	return strconv.FormatFloat(v*100, 'f', 0, 64) + " %"
}

// number prints a count with its thousands apart.
func number(v float64) string {
	if math.Abs(v) < 99.95 && v != math.Trunc(v) {
		return digits(v)
	}
	plain := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	var out []byte
	for i, c := range []byte(plain) {
		if i > 0 && (len(plain)-i)%3 == 0 {
			out = append(out, ',')
		}
		out = append(out, c)
	}
	if v < 0 {
		return "-" + string(out)
	}
	return string(out)
}
