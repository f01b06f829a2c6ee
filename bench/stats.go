package bench

import (
	"math"
	"slices"
)

// median is the middle one of at least one value, or the mean of the middle two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spread is the standard error of the mean of several measurements, relative to it and doubled: the mean of another run is
// within it in 19 of 20 cases.
func spread(values []float64) float64 {
	n := float64(len(values))
	if n < 2 {
		return 0
	}
	var mean, squares float64
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	if mean == 0 {
		return 0
	}
	return 2 * math.Sqrt(squares/(n-1)/n) / math.Abs(mean)
}
