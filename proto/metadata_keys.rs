//! Keys of the metadata that travels beside the messages of a call.
//!
//! Identity lives here and in no message (GM-5). The words are hyphenated, because some HTTP proxies
//! drop header names with underscores (GM-1).

/// Request: `Bearer`, a space and the token of the authenticated user.
pub const AUTHORIZATION: &str = "authorization";

/// Request: id of the `systemuser` to act for, the impersonated user. All-zero means absent (GM-3).
pub const CALLER_ID: &str = "caller-id";

/// Request: lower-case form of the product's `MSCRMCallerID`, another name of [`CALLER_ID`]. Sending
/// both is an error (GM-2).
pub const CALLER_ID_ALIAS: &str = "mscrmcallerid";

/// Request: directory object id of the user to act for. All-zero means absent (GM-3).
pub const CALLER_OBJECT_ID: &str = "caller-object-id";

/// Request: lower-case form of the product's `CallerObjectId`, another name of [`CALLER_OBJECT_ID`].
/// Sending both is an error (GM-2).
pub const CALLER_OBJECT_ID_ALIAS: &str = "callerobjectid";

/// Request: a correlation id of the client's choice. Response: the same, echoed.
pub const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";

/// Request: the trace context of the W3C, accepted beside [`CLIENT_REQUEST_ID`].
pub const TRACEPARENT: &str = "traceparent";

/// Request: reserved. Together with a key that names a user to act for the request is refused;
/// otherwise it has no effect (PL-92).
pub const OFFLINE_PLAYBACK: &str = "x-org-offline-playback";

/// Response: id of the call, the `activity_id` of its faults (GM-6).
pub const REQUEST_ID: &str = "request-id";

/// Response of impersonated calls: id of the user the call ran for (GM-6).
pub const EFFECTIVE_USER_ID: &str = "effective-user-id";

/// Response: requests left in the current window (SP-6).
pub const RATELIMIT_REMAINING_REQUESTS: &str = "ratelimit-remaining-requests";

/// Response: milliseconds of execution time left in the current window (SP-6).
pub const RATELIMIT_REMAINING_TIME_MS: &str = "ratelimit-remaining-time-ms";

/// Trailing response of a call that met a request limit: whole seconds to wait, rounded up (SP-3).
pub const RETRY_AFTER: &str = "retry-after";
