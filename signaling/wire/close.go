package wire

// Close is a WebSocket close code with its reason.
type Close struct {
	Code   int
	Reason string // at most 123 bytes, as RFC 6455 §5.5 asks
}

// The ways the server closes a connection.
var (
	CloseTooBig        = Close{1009, "message_too_big"}
	CloseRestart       = Close{1012, "server_shutdown"}
	CloseAbuse         = Close{4400, "protocol_abuse"}
	CloseUnauthorized  = Close{4401, "unauthorized"}
	CloseHelloTimeout  = Close{4401, "hello_timeout"}
	CloseIdle          = Close{4408, "idle_timeout"}
	CloseSlowConsumer  = Close{4409, "slow_consumer"}
	CloseReplaced      = Close{4410, "replaced"}
	CloseUnsupported   = Close{4426, "unsupported_protocol"}
	CloseTooManyErrors = Close{4429, "too_many_requests"}
	CloseInternal      = Close{1011, "server_error"}
)
