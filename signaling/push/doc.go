// Package push tells phones and browsers about calls by the push services of their makers.
//
// It observes what calls come to (Sender.Committed), without a say in it and without ever holding a call up: the loop of a call
// leaves orders in a bounded queue and goes on. What is to be said to whom is decided in push/notice. For each provider there is
// a lane with a queue and connections of its own, so that one that hangs delays no other.
//
//	loop of a call ─► Ledger ─► orders ─► Registry: which devices ─► lane of a provider ─► HTTP
//
// Nothing here is durable but the registrations. A call that still rings after a restart is told anew.
package push
