//! Answers of the administration calls: tokens and facts about the server.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use uuid::Uuid;

use crate::{error::ConvertError, v1, wire};

/// A token that was just made: the only time it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Id by which the token is listed and revoked.
    pub token_id: Uuid,
    /// The token itself.
    pub token: String,
}

impl NewToken {
    pub(crate) fn from_wire(answer: v1::CreateTokenResponse) -> Result<Self, ConvertError> {
        Ok(Self {
            token_id: wire::guid_from_wire("token_id", &answer.token_id)?,
            token: answer.token,
        })
    }
}

impl fmt::Debug for NewToken {
    /// Without the token, so that it does not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken")
            .field("token_id", &self.token_id)
            .finish_non_exhaustive()
    }
}

/// What is known about a token; never the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Id of the token.
    pub token_id: Uuid,
    /// The user that it authenticates.
    pub user_id: Uuid,
    /// What it is for.
    pub label: String,
    /// When it was made.
    pub create_time: Option<Timestamp>,
    /// Who made it; `None` for the first token of a server.
    pub created_by: Option<Uuid>,
    /// When it ends.
    pub expire_time: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoke_time: Option<Timestamp>,
}

impl Token {
    pub(crate) fn from_wire(token: v1::Token) -> Result<Self, ConvertError> {
        let time = |time: Option<prost_types::Timestamp>| {
            time.and_then(|time| wire::timestamp_from_wire(&time))
        };
        Ok(Self {
            token_id: wire::guid_from_wire("token_id", &token.token_id)?,
            user_id: wire::guid_from_wire("user_id", &token.user_id)?,
            label: token.label,
            create_time: time(token.create_time),
            created_by: wire::optional_guid_from_wire("created_by", &token.created_by)?,
            expire_time: time(token.expire_time),
            revoke_time: time(token.revoke_time),
        })
    }
}

/// Facts about the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// Version of the server.
    pub version: String,
    /// Id of the organization.
    pub organization_id: Uuid,
    /// Name of the storage engine.
    pub storage_engine: String,
    /// Version of the format on disk.
    pub storage_format_version: i32,
    /// When the server process started.
    pub start_time: Option<Timestamp>,
    /// The limits in force, by name.
    pub limits: BTreeMap<String, String>,
}

impl ServerInfo {
    pub(crate) fn from_wire(answer: v1::RetrieveServerInfoResponse) -> Result<Self, ConvertError> {
        Ok(Self {
            version: answer.version,
            organization_id: wire::guid_from_wire("organization_id", &answer.organization_id)?,
            storage_engine: answer.storage_engine,
            storage_format_version: answer.storage_format_version,
            start_time: answer
                .start_time
                .and_then(|time| wire::timestamp_from_wire(&time)),
            limits: answer.limits,
        })
    }
}
