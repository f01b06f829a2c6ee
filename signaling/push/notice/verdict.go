package notice

import (
	"math"
	"strconv"
	"time"
)

// Outcome is what is to be done after one attempt.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // the provider has it
	Dead      Outcome = "dead"      // the provider says that the token is no good: forget it
	Refused   Outcome = "refused"   // the provider will not take this, however often it is sent
	Renew     Outcome = "renew"     // our credentials are too old; once more with fresh ones
	Again     Outcome = "again"     // later, perhaps
)

// Verdict is what a provider's answer means.
type Verdict struct {
	Outcome   Outcome
	Reason    string        // the provider's word, for the log
	Wait      time.Duration // of Again: not before
	DeadSince time.Time     // of Dead: a token registered after this is another one; zero: not said
}

// byStatus judges an answer that has no meaning of its own for the provider.
func byStatus(now time.Time, status int, retryAfter, reason string) Verdict {
	if reason == "" {
		reason = strconv.Itoa(status)
	}
	switch {
	case status/100 == 2:
		return Verdict{Outcome: Delivered}
	case status == 408 || status == 425 || status == 429 || status >= 500:
		return Verdict{Outcome: Again, Reason: reason, Wait: waitOf(now, retryAfter)}
	}
	return Verdict{Outcome: Refused, Reason: reason} // redirects are among these: a provider has one address
}

// maxWait bounds what a Retry-After is believed.
const maxWait = 24 * time.Hour

// waitOf reads a Retry-After header (RFC 9110 §10.2.3): seconds or a date.
func waitOf(now time.Time, header string) time.Duration {
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return min(time.Duration(max(0, min(seconds, math.MaxInt32)))*time.Second, maxWait)
	}
	if at, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", header); err == nil { // IMF-fixdate, http.TimeFormat
		return min(max(0, at.Sub(now)), maxWait)
	}
	return 0
}

// The rhythm of attempts: soon after a hiccup, then ever slower.
const (
	firstWait  = 250 * time.Millisecond
	longest    = 8 * time.Second
	maxAttempt = 8
)

// Next is when to try again after the attempt-th attempt failed, counted from 1, or false when that would be too late. Jitter is
// from 0 to 1 and spreads what failed together.
func Next(now time.Time, n *Notice, attempt int, v Verdict, jitter float64) (time.Time, bool) {
	if v.Outcome == Renew && attempt == 1 {
		return now, now.Before(n.Deadline)
	}
	if v.Outcome != Again || attempt >= maxAttempt {
		return time.Time{}, false
	}
	wait := min(firstWait<<(attempt-1), longest)
	wait = max(v.Wait, wait/2+time.Duration(jitter*float64(wait)/2))
	at := now.Add(wait)
	return at, at.Before(n.Deadline)
}

// PlainVerdict reads the answer of a server that has no words of its own but HTTP's.
func PlainVerdict(now time.Time, status int, retryAfter string) Verdict {
	return byStatus(now, status, retryAfter, "")
}
