// Package signaling is the rim of calling: the WebSocket sessions of devices, the loops that own live calls, and REST.
//
// What is decided lies in the packages under it: signaling/call decides what happens to a call, signaling/wire turns bytes
// into values, signaling/resume and signaling/idem remember what a lost connection missed. This package owns the sockets,
// timers and goroutines around them.
package signaling
