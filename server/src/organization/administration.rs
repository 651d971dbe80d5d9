//! What AdminService asks of the organization: tokens and facts of the server (`grpc.md` 3.3).

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Organization, new_secret};
use crate::{caller::Caller, directory::Token, fault::Result, limits, operations::tokens};

/// A bearer token without its secret (`grpc.md` 3.3).
pub type TokenInfo = Token;

/// What this server is (`grpc.md` 3.3).
#[derive(Clone, Debug)]
pub struct ServerInfo {
    /// Version of the server.
    pub version: String,
    /// The organization.
    pub organization_id: Uuid,
    /// Name of the storage engine.
    pub storage_engine: &'static str,
    /// Version of the storage format.
    pub storage_format_version: u32,
    /// When the server started.
    pub start_time: Timestamp,
    /// Bounds by name.
    pub limits: BTreeMap<String, String>,
}

impl Organization {
    /// Makes a bearer token; the only time it is shown.
    ///
    /// # Errors
    /// `PrivilegeDenied` with metadata `role`; `ObjectDoesNotExist`.
    pub fn create_token(
        &self,
        caller: &Caller,
        user: Uuid,
        label: String,
        expires: Option<Timestamp>,
    ) -> Result<(Uuid, String)> {
        let lifetime = self.0.token_lifetime;
        let expires = match expires {
            None if !lifetime.is_zero() => self.0.clock.now().checked_add(lifetime).ok(),
            given => given,
        };
        let (token, hash) = new_secret()?;
        let id = self.write(caller, None, |work| {
            tokens::create(work, user, &label, expires, hash)
        })?;
        tracing::info!(target: "audit", token = %id, %user, by = ?caller, "token created");
        Ok((id, token))
    }

    /// Lists tokens, of one user or of all.
    ///
    /// # Errors
    /// `PrivilegeDenied` with metadata `role`.
    pub fn list_tokens(&self, caller: &Caller, user: Option<Uuid>) -> Result<Vec<TokenInfo>> {
        let tokens = self.read(caller, None, |work| tokens::list(work, user))?;
        Ok(tokens.iter().map(|token| TokenInfo::clone(token)).collect())
    }

    /// Ends a token for every request that starts afterwards.
    ///
    /// # Errors
    /// `PrivilegeDenied` with metadata `role`; `ObjectDoesNotExist`.
    pub fn revoke_token(&self, caller: &Caller, token_id: Uuid) -> Result<()> {
        self.write(caller, None, |work| tokens::revoke(work, token_id))?;
        tracing::info!(target: "audit", token = %token_id, by = ?caller, "token revoked");
        Ok(())
    }

    /// What this server is.
    ///
    /// # Errors
    /// `PrivilegeDenied` with metadata `role`.
    pub fn server_info(&self, caller: &Caller) -> Result<ServerInfo> {
        self.read(caller, None, |work| {
            work.require_administrator()?;
            Ok(ServerInfo {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                organization_id: work.directory().organization().id,
                storage_engine: self.0.storage_engine,
                storage_format_version: crate::storage::FORMAT_VERSION.into(),
                start_time: self.0.started,
                limits: limits::all(),
            })
        })
    }
}
