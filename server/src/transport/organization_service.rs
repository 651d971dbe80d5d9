//! The RPCs of OrganizationService.

use orgservice::v1::{self, organization_service_server::OrganizationService};
use tokio_stream::Empty;
use tonic::{Request, Response, Status, Streaming};

use super::{
    call::Call,
    convert::{Message, read_options, read_question, write_explanation},
};
use crate::organization::Organization;

/// OrganizationService over an [`Organization`].
pub(super) struct OrganizationServiceHandler {
    organization: Organization,
}

type Answer<T> = Result<Response<T>, Status>;

impl OrganizationServiceHandler {
    pub(super) fn new(organization: Organization) -> Self {
        OrganizationServiceHandler { organization }
    }

    /// Runs the message that an RPC stands for. Nothing of it is converted on the network's thread
    /// unless all of it runs there.
    async fn run<M: Message>(&self, request: Request<M>) -> Answer<M::Response> {
        let (call, message) = Call::take(request)?;
        let organization = self.organization.clone();
        if organization.commits(message.name()) {
            return call.commit(organization, || message.read(), M::write).await;
        }
        let inline = message.is_short() && organization.is_inline(message.name());
        call.perform(inline, move |call| {
            let (request, options) = message.read()?;
            let response = organization.execute(&call.caller, request, &call.options(options))?;
            M::write(response, call.writer())
        })
        .await
    }
}

#[tonic::async_trait]
impl OrganizationService for OrganizationServiceHandler {
    type RetrieveMultipleStreamStream = Empty<Result<v1::RetrieveMultipleStreamResponse, Status>>;
    type UploadPluginAssemblyStream = Empty<Result<v1::UploadPluginAssemblyResponse, Status>>;

    async fn create(&self, request: Request<v1::CreateRequest>) -> Answer<v1::CreateResponse> {
        self.run(request).await
    }

    async fn retrieve(
        &self,
        request: Request<v1::RetrieveRequest>,
    ) -> Answer<v1::RetrieveResponse> {
        self.run(request).await
    }

    async fn update(&self, request: Request<v1::UpdateRequest>) -> Answer<v1::UpdateResponse> {
        self.run(request).await
    }

    async fn upsert(&self, request: Request<v1::UpsertRequest>) -> Answer<v1::UpsertResponse> {
        self.run(request).await
    }

    async fn delete(&self, request: Request<v1::DeleteRequest>) -> Answer<v1::DeleteResponse> {
        self.run(request).await
    }

    async fn associate(
        &self,
        request: Request<v1::AssociateRequest>,
    ) -> Answer<v1::AssociateResponse> {
        self.run(request).await
    }

    async fn disassociate(
        &self,
        request: Request<v1::DisassociateRequest>,
    ) -> Answer<v1::DisassociateResponse> {
        self.run(request).await
    }

    async fn assign(&self, request: Request<v1::AssignRequest>) -> Answer<v1::AssignResponse> {
        self.run(request).await
    }

    async fn share(&self, request: Request<v1::ShareRequest>) -> Answer<v1::ShareResponse> {
        self.run(request).await
    }

    async fn modify_share(
        &self,
        request: Request<v1::ModifyShareRequest>,
    ) -> Answer<v1::ModifyShareResponse> {
        self.run(request).await
    }

    async fn unshare(&self, request: Request<v1::UnshareRequest>) -> Answer<v1::UnshareResponse> {
        self.run(request).await
    }

    async fn retrieve_multiple(
        &self,
        request: Request<v1::RetrieveMultipleRequest>,
    ) -> Answer<v1::RetrieveMultipleResponse> {
        if request.get_ref().explain_plan {
            let (call, _) = Call::take(request)?;
            return Err(call.not_built("RetrieveMultiple", "explain_plan of RetrieveMultiple"));
        }
        self.run(request).await
    }

    async fn retrieve_multiple_stream(
        &self,
        request: Request<v1::RetrieveMultipleStreamRequest>,
    ) -> Answer<Self::RetrieveMultipleStreamStream> {
        let (call, _) = Call::take(request)?;
        Err(call.not_built("RetrieveMultipleStream", "RetrieveMultipleStream"))
    }

    async fn execute(&self, request: Request<v1::ExecuteRequest>) -> Answer<v1::ExecuteResponse> {
        self.run(request).await
    }

    async fn execute_multiple(
        &self,
        request: Request<v1::ExecuteMultipleRequest>,
    ) -> Answer<v1::ExecuteMultipleResponse> {
        self.run(request).await
    }

    async fn execute_transaction(
        &self,
        request: Request<v1::ExecuteTransactionRequest>,
    ) -> Answer<v1::ExecuteTransactionResponse> {
        self.run(request).await
    }

    async fn who_am_i(&self, request: Request<v1::WhoAmIRequest>) -> Answer<v1::WhoAmIResponse> {
        self.run(request).await
    }

    async fn explain_access(
        &self,
        request: Request<v1::ExplainAccessRequest>,
    ) -> Answer<v1::ExplainAccessResponse> {
        let (call, mut question) = Call::take(request)?;
        let organization = self.organization.clone();
        call.perform(false, move |call| {
            let options = call.options(read_options(question.options.take())?);
            let question = read_question(question)?;
            let explanation = organization.explain_access(&call.caller, &question, &options)?;
            Ok(write_explanation(explanation, call.writer()))
        })
        .await
    }

    async fn upload_plugin_assembly(
        &self,
        request: Request<Streaming<v1::UploadPluginAssemblyRequest>>,
    ) -> Answer<Self::UploadPluginAssemblyStream> {
        let (call, _) = Call::take(request)?;
        Err(call.not_built("UploadPluginAssembly", "UploadPluginAssembly"))
    }
}
