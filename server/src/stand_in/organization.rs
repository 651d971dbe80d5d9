//! Stand-in until the core is merged: the public shape of `organization.rs`, with just enough behind it
//! to drive the transport over a socket.
#![allow(missing_docs, reason = "stand-in")]
use std::{collections::BTreeMap, sync::Arc, time::Instant};

use jiff::Timestamp;
use orgservice_security::UserId;
use uuid::Uuid;

use crate::{
    caller::{Caller, CallerKeys, Identity},
    fault::{Fault, FaultCode, Result},
    model::*,
};

pub const SYSTEM_USER: UserId = UserId(Uuid::from_u128(1));

#[derive(Clone)]
pub struct Organization(Arc<()>);
pub struct CallOptions {
    pub options: RequestOptions,
    pub deadline: Option<Instant>,
    pub correlation: Uuid,
}
pub struct TokenInfo {
    pub id: Uuid,
    pub user: Uuid,
    pub label: String,
    pub created: Timestamp,
    pub created_by: Uuid,
    pub expires: Option<Timestamp>,
    pub revoked: Option<Timestamp>,
}
pub struct ServerInfo {
    pub version: String,
    pub organization_id: Uuid,
    pub storage_engine: String,
    pub storage_format_version: i32,
    pub start_time: Timestamp,
    pub limits: BTreeMap<String, String>,
}
pub struct BootstrapOptions {
    pub organization_name: String,
    pub administrator_name: String,
}
pub struct Bootstrap {
    pub administrator: Uuid,
    pub token: String,
}

impl Organization {
    pub fn open() -> Self {
        Organization(Arc::new(()))
    }
    pub fn bootstrap(&self, _options: BootstrapOptions) -> Result<Option<Bootstrap>> {
        Ok(Some(Bootstrap { administrator: Uuid::from_u128(2), token: crate::identity::new_token()? }))
    }
    pub fn authenticate(&self, token: &str) -> Result<Identity> {
        if !token.starts_with("ost_") {
            return Err(Fault::new(FaultCode::RequestIsNotAuthenticated, "unknown token"));
        }
        Ok(Identity { user: Some(UserId(Uuid::from_u128(2))), trusted_host: false, label: "t".into() })
    }
    pub fn resolve_caller(&self, identity: &Identity, keys: &CallerKeys) -> Result<Caller> {
        let impersonated = match keys.caller_id.as_slice() {
            [] => None,
            [id] => Some(UserId(parse_guid(id).ok_or_else(|| {
                Fault::invalid_argument("caller-id", "the value of `caller-id` is not a GUID")
            })?)),
            _ => return Err(Fault::invalid_argument("caller-id", "more than once")),
        };
        Ok(Caller { authenticated: identity.user, impersonated, trusted_host: false })
    }
    pub fn execute(
        &self,
        caller: &Caller,
        request: OrganizationRequest,
        _options: &CallOptions,
    ) -> Result<OrganizationResponse> {
        let subject = caller.impersonated.or(caller.authenticated).map_or(Uuid::nil(), |u| u.0);
        match request.name.as_str() {
            "WhoAmI" => Ok(OrganizationResponse::new("WhoAmI")
                .with("UserId", subject)
                .with("BusinessUnitId", Uuid::from_u128(3))
                .with("OrganizationId", Uuid::from_u128(4))),
            "Create" => Ok(OrganizationResponse::new("Create").with("id", Uuid::from_u128(5))),
            #[allow(clippy::panic, reason = "stand-in")]
            "Panic" => panic!("a handler's secret"),
            "Retrieve" => Ok(OrganizationResponse::new("Retrieve").with(
                "Entity",
                Entity::new("account").with_id(Uuid::from_u128(5)).with("name", "Contoso"),
            )),
            other => Err(Fault::new(FaultCode::NotImplemented, "not built").detail("message", other)),
        }
    }
    pub fn is_inline(&self, message: &str) -> bool {
        matches!(message, "Retrieve" | "WhoAmI" | "RetrieveVersion")
    }
    pub fn explain_access(
        &self,
        _caller: &Caller,
        _question: ExplainAccess,
        _options: &CallOptions,
    ) -> Result<AccessExplanation> {
        Err(Fault::unexpected("stand-in"))
    }
    pub fn create_token(
        &self,
        _caller: &Caller,
        _user: Uuid,
        _label: String,
        _expires: Option<Timestamp>,
    ) -> Result<(Uuid, String)> {
        Ok((Uuid::from_u128(9), crate::identity::new_token()?))
    }
    pub fn list_tokens(&self, _caller: &Caller, _user: Option<Uuid>) -> Result<Vec<TokenInfo>> {
        Ok(Vec::new())
    }
    pub fn revoke_token(&self, _caller: &Caller, _token: Uuid) -> Result<()> {
        Ok(())
    }
    pub fn server_info(&self, _caller: &Caller) -> Result<ServerInfo> {
        Err(Fault::unexpected("stand-in"))
    }
}
