package push

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/push/notice"
)

// everywhere allows all addresses, for providers whose address is the operator's own choice.
var everywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// client makes the HTTP client of one provider.
func (s *Sender) client(allow []netip.Prefix) *outbound.Client {
	c := outbound.New(outbound.Config{
		Allow: allow, Timeout: s.config.Timeout, MaxBody: 8 << 10, MaxIdle: s.config.Parallel, TLS: s.config.TLS,
	})
	s.closers = append(s.closers, c.Close)
	return c
}

// judge reads a provider's answer.
type judge func(now time.Time, status int, retryAfter string, body []byte) notice.Verdict

// post makes one request and judges the answer. A connection that cannot be made, or breaks, is tried again; an address that must
// not be reached is not.
func post(ctx context.Context, c *outbound.Client, now time.Time, url string, header http.Header, body []byte, judge judge) notice.Verdict {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return notice.Verdict{Outcome: notice.Refused, Reason: "the URL does not parse"}
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	answer, err := c.Do(req)
	if err != nil {
		return trouble(err)
	}
	return judge(now, answer.Status, answer.Header.Get("Retry-After"), answer.Body)
}

// trouble judges an attempt that got no answer.
func trouble(err error) notice.Verdict {
	var timeout net.Error
	switch {
	case errors.Is(err, outbound.ErrURL), errors.Is(err, outbound.ErrAddress), errors.Is(err, outbound.ErrPlain):
		return notice.Verdict{Outcome: notice.Refused, Reason: err.Error()}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return notice.Verdict{Outcome: notice.Again, Reason: "no answer in time"}
	}
	return notice.Verdict{Outcome: notice.Again, Reason: err.Error()}
}
