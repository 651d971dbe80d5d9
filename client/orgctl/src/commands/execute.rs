//! `execute`: any message by name.

use clap::Args;
use orgservice_client::OrganizationRequest;

use crate::{
    failure::Result,
    json,
    output::{Output, text_of},
    session::Session,
    value::{Assignment, SYNTAX},
};

#[derive(Args, Debug)]
#[command(after_help = SYNTAX)]
pub struct ExecuteArguments {
    /// Name of the message, in its exact spelling: RetrieveVersion, AddMembersTeam, …
    message: String,
    /// Parameters: NAME=TEXT or NAME:TYPE=VALUE.
    #[arg(value_name = "NAME=VALUE")]
    assignments: Vec<Assignment>,
    /// Parameters in the contract's JSON, an object of values by name; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
}

/// Runs a message and shows its results.
pub async fn run(arguments: &ExecuteArguments, session: &Session, out: &mut Output) -> Result<()> {
    let request = match &arguments.json {
        Some(path) => json::to_request(&arguments.message, json::read(path)?)?,
        None => OrganizationRequest::new(&arguments.message),
    };
    let request = Assignment::set_parameters(request, &arguments.assignments);
    let response = session.service.execute(request).await?;
    if out.is_json() {
        return out.json(&json::from_response(&response)?);
    }
    if response.results.is_empty() {
        return out.line("done");
    }
    let rows = response
        .results
        .iter()
        .map(|(name, value)| vec![name.clone(), value.kind().to_owned(), text_of(value)])
        .collect();
    out.table(&["result", "kind", "value"], rows)
}
