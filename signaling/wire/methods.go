package wire

// The methods of the protocol, each with its params and result.
const (
	MethodHello             = "hello"              // HelloParams, HelloResult
	MethodTokenRenew        = "token.renew"        // TokenRenewParams, RenewResult
	MethodPing              = "ping"               // PingParams, PingResult
	MethodCallInitiate      = "call.initiate"      // InitiateParams, CallResult
	MethodCallAccept        = "call.accept"        // AcceptParams, CallResult
	MethodCallReject        = "call.reject"        // RejectParams, CallResult
	MethodCallCancel        = "call.cancel"        // CancelParams, CallResult
	MethodCallEnd           = "call.end"           // EndParams, CallResult
	MethodCallGet           = "call.get"           // GetParams, CallResult
	MethodCallActive        = "call.active"        // ActiveParams, CallsResult
	MethodDeviceRegister    = "device.register"    // DeviceRegisterParams, DeviceResult
	MethodDeviceUnregister  = "device.unregister"  // DeviceUnregisterParams, Empty
	MethodDeviceList        = "device.list"        // DeviceListParams, DevicesResult
	MethodUserBlock         = "user.block"         // BlockParams, Empty
	MethodUserUnblock       = "user.unblock"       // UnblockParams, Empty
	MethodUserBlocked       = "user.blocked"       // BlockedParams, BlockedResult
	MethodCallHistory       = "call.history"       // HistoryParams, HistoryResult
	MethodSessionJoin       = "session.join"       // JoinParams, JoinResult
	MethodSessionOffer      = "session.offer"      // OfferParams, OfferResult
	MethodSessionMute       = "session.mute"       // MuteParams, Empty
	MethodSessionWish       = "session.wish"       // WishParams, Empty
	MethodSessionStats      = "session.stats"      // StatsParams, Empty
	MethodSessionICEServers = "session.iceServers" // ICEServersParams, ICEServersResult
	MethodSessionLeave      = "session.leave"      // LeaveParams, Empty
	MethodSessionEnter      = "session.enter"      // EnterParams, JoinResult
	MethodSessionHand       = "session.hand"       // HandParams, Empty
	MethodSessionMuteOther  = "session.muteOther"  // MuteOtherParams, Empty
	MethodSessionExpel      = "session.expel"      // ExpelParams, Empty

	MethodConnectionTest      = "connection.test"      // TestParams, TestResult
	MethodConnectionTestOffer = "connection.testOffer" // TestOfferParams, OfferResult
	MethodConnectionTestEnd   = "connection.testEnd"   // TestEndParams, Empty
)

// Params are the checked params of one request: one of the Params types of this package, by value.
type Params interface {
	// Validate says which value is out of range, nil if none. Parse has called it already; REST calls it itself.
	Validate() *Error
}

// mutation is what the params of a mutation have besides.
type mutation interface{ mutationID() string }

// methods is the whole protocol: how the params of each method are read.
var methods = map[string]func(raw []byte, lenient bool) (Params, *Error){
	MethodHello:             readHello,
	MethodTokenRenew:        read[TokenRenewParams],
	MethodPing:              read[PingParams],
	MethodCallInitiate:      read[InitiateParams],
	MethodCallAccept:        read[AcceptParams],
	MethodCallReject:        read[RejectParams],
	MethodCallCancel:        read[CancelParams],
	MethodCallEnd:           read[EndParams],
	MethodCallGet:           read[GetParams],
	MethodCallActive:        read[ActiveParams],
	MethodDeviceRegister:    read[DeviceRegisterParams],
	MethodDeviceUnregister:  read[DeviceUnregisterParams],
	MethodDeviceList:        read[DeviceListParams],
	MethodUserBlock:         read[BlockParams],
	MethodUserUnblock:       read[UnblockParams],
	MethodUserBlocked:       read[BlockedParams],
	MethodCallHistory:       read[HistoryParams],
	MethodSessionJoin:       read[JoinParams],
	MethodSessionOffer:      read[OfferParams],
	MethodSessionMute:       read[MuteParams],
	MethodSessionWish:       read[WishParams],
	MethodSessionStats:      read[StatsParams],
	MethodSessionICEServers: read[ICEServersParams],
	MethodSessionLeave:      read[LeaveParams],
	MethodSessionEnter:      read[EnterParams],
	MethodSessionHand:       read[HandParams],
	MethodSessionMuteOther:  read[MuteOtherParams],
	MethodSessionExpel:      read[ExpelParams],

	MethodConnectionTest:      read[TestParams],
	MethodConnectionTestOffer: read[TestOfferParams],
	MethodConnectionTestEnd:   read[TestEndParams],
}
