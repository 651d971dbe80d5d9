//! The RPCs of AdminService.

use orgservice::v1::{self, admin_service_server::AdminService};
use tokio_stream::Empty;
use tonic::{Request, Response, Status};

use super::{
    call::Call,
    convert::{
        read_optional_guid, read_options, read_required_guid, read_timestamp, write_guid,
        write_timestamp,
    },
};
use crate::{
    fault::Result,
    organization::{Organization, ServerInfo, TokenInfo},
};

/// AdminService over an [`Organization`]; the core asks for the role.
pub(super) struct AdminServiceHandler {
    organization: Organization,
}

type Answer<T> = Result<Response<T>, Status>;

impl AdminServiceHandler {
    pub(super) fn new(organization: Organization) -> Self {
        AdminServiceHandler { organization }
    }

    /// Does what an RPC asks for, on a thread that may wait.
    async fn run<Q: Send + 'static, T: Send + 'static>(
        &self,
        request: Request<Q>,
        work: impl FnOnce(&Organization, &Call, Q) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let (call, message) = Call::take(request)?;
        let organization = self.organization.clone();
        call.perform(false, move |call| work(&organization, call, message))
            .await
    }
}

#[tonic::async_trait]
impl AdminService for AdminServiceHandler {
    type BackupStream = Empty<Result<v1::BackupResponse, Status>>;
    type CheckStoreStream = Empty<Result<v1::CheckStoreResponse, Status>>;

    async fn create_token(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Answer<v1::CreateTokenResponse> {
        self.run(request, |organization, call, message| {
            read_options(message.options)?;
            let user = read_required_guid("user_id", &message.user_id)?;
            let expires = message
                .expire_time
                .map(|time| read_timestamp("expire_time", time))
                .transpose()?;
            let (id, token) =
                organization.create_token(&call.caller, user, message.label, expires)?;
            Ok(v1::CreateTokenResponse {
                token_id: write_guid(id),
                token,
            })
        })
        .await
    }

    async fn list_tokens(
        &self,
        request: Request<v1::ListTokensRequest>,
    ) -> Answer<v1::ListTokensResponse> {
        self.run(request, |organization, call, message| {
            read_options(message.options)?;
            let user = read_optional_guid("user_id", &message.user_id)?;
            let tokens = organization.list_tokens(&call.caller, user)?;
            Ok(v1::ListTokensResponse {
                tokens: tokens.into_iter().map(write_token).collect(),
            })
        })
        .await
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Answer<v1::RevokeTokenResponse> {
        self.run(request, |organization, call, message| {
            read_options(message.options)?;
            let token = read_required_guid("token_id", &message.token_id)?;
            organization.revoke_token(&call.caller, token)?;
            Ok(v1::RevokeTokenResponse {})
        })
        .await
    }

    async fn retrieve_server_info(
        &self,
        request: Request<v1::RetrieveServerInfoRequest>,
    ) -> Answer<v1::RetrieveServerInfoResponse> {
        self.run(request, |organization, call, message| {
            read_options(message.options)?;
            organization
                .server_info(&call.caller)
                .map(write_server_info)
        })
        .await
    }

    async fn backup(&self, request: Request<v1::BackupRequest>) -> Answer<Self::BackupStream> {
        let (call, _) = Call::take(request)?;
        Err(call.not_built("Backup", "Backup"))
    }

    async fn check_store(
        &self,
        request: Request<v1::CheckStoreRequest>,
    ) -> Answer<Self::CheckStoreStream> {
        let (call, _) = Call::take(request)?;
        Err(call.not_built("CheckStore", "CheckStore"))
    }
}

fn write_token(token: TokenInfo) -> v1::Token {
    v1::Token {
        token_id: write_guid(token.id),
        user_id: write_guid(token.user.0),
        label: token.label,
        create_time: Some(write_timestamp(token.created)),
        created_by: write_guid(token.created_by.0),
        expire_time: token.expires.map(write_timestamp),
        revoke_time: token.revoked.map(write_timestamp),
    }
}

fn write_server_info(info: ServerInfo) -> v1::RetrieveServerInfoResponse {
    v1::RetrieveServerInfoResponse {
        version: info.version,
        organization_id: write_guid(info.organization_id),
        storage_engine: info.storage_engine.to_owned(),
        storage_format_version: i32::try_from(info.storage_format_version).unwrap_or(i32::MAX),
        start_time: Some(write_timestamp(info.start_time)),
        limits: info.limits,
    }
}
