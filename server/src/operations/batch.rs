//! ExecuteTransaction and ExecuteMultiple: several requests in one call (`messages.md` 2.4).

use super::{Operation, Work, parameters::Parameters};
use crate::{
    fault::{Fault, Result},
    limits,
    model::{Entity, OrganizationRequest, OrganizationResponse, Value},
};

/// ExecuteTransaction: all requests in one transaction, in order, or none.
pub struct ExecuteTransaction;

/// The requests of a transaction.
pub struct Transaction {
    requests: Vec<OrganizationRequest>,
    return_responses: bool,
}

impl Operation for ExecuteTransaction {
    const NAME: &'static str = "ExecuteTransaction";
    type Checked = Transaction;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Transaction> {
        let mut parameters = Parameters::of(request);
        let requests = parameters.requests("Requests")?;
        let return_responses = parameters.flag("ReturnResponses")?;
        parameters.finish()?;
        bounded(requests.len())?;
        for (index, inner) in requests.iter().enumerate() {
            if [ExecuteTransaction::NAME, ExecuteMultiple::NAME].contains(&&*inner.name) {
                return Err(nested(&inner.name, Self::NAME, index).at_request(index));
            }
        }
        if work.is_explaining() {
            // Each request is explained; none is run, so later ones are judged as things are now.
            for (index, inner) in requests.iter().enumerate() {
                super::run(work, inner).map_err(|fault| fault.at_request(index))?;
            }
        }
        Ok(Transaction {
            requests: requests.into_iter().cloned().collect(),
            return_responses,
        })
    }

    fn perform(work: &mut Work<'_>, transaction: Transaction) -> Result<OrganizationResponse> {
        let mut responses = Vec::new();
        let mut budget = Budget::default();
        for (index, request) in transaction.requests.iter().enumerate() {
            // Each request is decided with the roles as they are now, own earlier writes included.
            let response = work
                .readmit()
                .and_then(|()| super::run(work, request))
                .map_err(|fault| fault.at_request(index))?;
            if transaction.return_responses {
                budget
                    .take(&response)
                    .map_err(|fault| fault.at_request(index))?;
                responses.push(Value::Response(Box::new(response)));
            }
        }
        Ok(OrganizationResponse::new(Self::NAME).with("Responses", Value::List(responses)))
    }
}

/// ExecuteMultiple: each request in a transaction of its own.
///
/// `organization.rs` runs it; what stands here is its shape, and the refusal of one that is an item
/// of another batch (XM-4).
pub struct ExecuteMultiple;

/// The requests of a batch and what to do about faults.
pub struct Multiple<'a> {
    /// The requests, in order.
    pub requests: Vec<&'a OrganizationRequest>,
    /// Whether to go on after a fault.
    pub continue_on_error: bool,
    /// Whether to return what the requests answered.
    pub return_responses: bool,
}

impl<'a> Multiple<'a> {
    /// Takes the request apart (XM-2, XM-3).
    ///
    /// # Errors
    /// `InvalidArgument` for more than 1000 requests, with `maxBatchSize`.
    pub fn parse(request: &'a OrganizationRequest) -> Result<Self> {
        let mut parameters = Parameters::of(request);
        let requests = parameters.requests("Requests")?;
        let settings = match parameters.optional("Settings") {
            None => None,
            Some(Value::Entity(settings)) => Some(&**settings),
            Some(other) => return Err(super::parameters::mistyped("Settings", "entity", other)),
        };
        parameters.finish()?;
        bounded(requests.len())?;
        Ok(Multiple {
            requests,
            continue_on_error: setting(settings, "ContinueOnError")?,
            return_responses: setting(settings, "ReturnResponses")?,
        })
    }

    /// The response of a batch from its items: index with response or fault.
    pub fn response(
        &self,
        items: Vec<(usize, Result<OrganizationResponse>)>,
    ) -> OrganizationResponse {
        let is_faulted = items.iter().any(|(_, outcome)| outcome.is_err());
        let items = items
            .into_iter()
            .filter(|(_, outcome)| self.return_responses || outcome.is_err())
            .map(|(index, outcome)| {
                let index = i32::try_from(index).unwrap_or(i32::MAX);
                let item = Entity::new("ExecuteMultipleResponseItem").with("RequestIndex", index);
                Value::from(match outcome {
                    Ok(response) => item.with("Response", Value::Response(Box::new(response))),
                    Err(fault) => item.with("Fault", Value::Fault(Box::new(fault))),
                })
            });
        OrganizationResponse::new(ExecuteMultiple::NAME)
            .with("Responses", Value::List(items.collect()))
            .with("IsFaulted", is_faulted)
    }
}

impl Operation for ExecuteMultiple {
    const NAME: &'static str = "ExecuteMultiple";
    type Checked = ();

    fn check(_: &mut Work<'_>, _: &OrganizationRequest) -> Result<()> {
        Err(nested(Self::NAME, Self::NAME, 0))
    }

    fn perform(_: &mut Work<'_>, (): ()) -> Result<OrganizationResponse> {
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

/// What the answers of a batch may take together: what no message could carry is not collected.
#[derive(Debug, Default)]
pub struct Budget {
    bytes: usize,
}

impl Budget {
    /// Makes room for one more answer.
    ///
    /// # Errors
    /// `InvalidOperation` (reason LIMIT_EXCEEDED) once the answers are larger than a message.
    pub fn take(&mut self, response: &OrganizationResponse) -> Result<()> {
        self.bytes += postcard::to_stdvec(response)
            .map_err(Fault::unexpected)?
            .len();
        self.require()
    }

    /// Whether there is room for another answer.
    ///
    /// # Errors
    /// As [`Budget::take`].
    pub fn require(&self) -> Result<()> {
        if self.bytes > limits::MESSAGE_BYTES_MAX {
            return Err(Fault::limit_exceeded(
                "message_bytes_max",
                limits::MESSAGE_BYTES_MAX,
            ));
        }
        Ok(())
    }
}

fn setting(settings: Option<&Entity>, name: &str) -> Result<bool> {
    match settings.and_then(|settings| settings.attributes.get(name)) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Boolean(flag)) => Ok(*flag),
        Some(other) => Err(super::parameters::mistyped(name, "booleanValue", other)),
    }
}

fn bounded(requests: usize) -> Result<()> {
    if requests <= limits::BATCH_REQUESTS_MAX {
        return Ok(());
    }
    let description = format!(
        "{requests} requests; a batch has at most {}",
        limits::BATCH_REQUESTS_MAX
    );
    Err(Fault::invalid_argument("requests", description)
        .limit("batch_requests_max", limits::BATCH_REQUESTS_MAX)
        .detail("maxBatchSize", limits::BATCH_REQUESTS_MAX))
}

fn nested(inner: &str, outer: &str, index: usize) -> Fault {
    Fault::invalid_argument(
        format!("requests[{index}].request_name"),
        format!("`{inner}` cannot be part of `{outer}`"),
    )
}
