//! `explain`: why a call is or would be refused, and the privileges of both users side by side.

mod matrix;
mod to_json;
mod verdict;

use clap::Args;
use orgservice_client::{
    AccessExplanation, AccessRights, ColumnSet, Entity, EntityReference, OrganizationRequest,
    OrganizationServiceClient, PrincipalAccess, QueryExpression, Uuid,
};

use crate::{
    failure::{Failure, Result},
    json, names,
    output::Output,
    session::Session,
    value::{Assignment, required_guid},
};

use matrix::Glyphs;

#[derive(Args, Debug)]
#[command(after_help = "\
Without --of it is about calls of your own, with --as about those that you make for that user. With --of it is
about calls of that user, for the user of --as if there is one; only System Administrators may ask that.

  orgctl explain --as 'Nancy Davolio' account contact
  orgctl explain --as 'Nancy Davolio' --request Delete account GUID
  orgctl explain --of integration --as 'Nancy Davolio' --request Update account GUID name=x
  orgctl explain --as 'Nancy Davolio' --request RetrieveMultiple account")]
pub struct ExplainArguments {
    /// The authenticated user to ask about: id, domain name, full name or e-mail address.
    #[arg(long, value_name = "USER")]
    of: Option<String>,
    /// A call to explain; it is not run: Create, Retrieve, Update, Delete, Assign, RetrieveMultiple,
    /// GrantAccess, ModifyAccess, RevokeAccess, or with --json any other message.
    #[arg(long, value_name = "MESSAGE")]
    request: Option<String>,
    /// Tables of the matrices. With --request: the table, the id of the record, and COLUMN=VALUE.
    #[arg(value_name = "TABLE")]
    what: Vec<String>,
    /// For Assign, GrantAccess and their like: user:NAME, team:NAME, or the id of a user.
    #[arg(long, value_name = "PRINCIPAL", requires = "request")]
    to: Option<String>,
    /// For GrantAccess and ModifyAccess: the rights to give.
    #[arg(long, value_parser = names::rights, default_value = "read", value_name = "RIGHTS")]
    rights: AccessRights,
    /// Parameters of the call in the contract's JSON; `-` reads standard input.
    #[arg(long, value_name = "FILE", requires = "request")]
    json: Option<String>,
}

/// The users of an explanation, as people call them.
pub struct People {
    /// Who holds the token.
    pub authenticated: String,
    /// Whom the call is for.
    pub impersonated: Option<String>,
}

/// Asks the server and shows what it says.
pub async fn run(arguments: &ExplainArguments, session: &Session, out: &mut Output) -> Result<()> {
    let mut explanation = ask(arguments, session).await?;
    if out.is_json() {
        return out.json(&to_json::explanation(&explanation));
    }
    let service = &session.authenticated;
    names::label_explanation(service, &mut explanation).await;
    let user = |matrix: &Option<orgservice_client::PrivilegeMatrix>| {
        matrix.as_ref().and_then(|matrix| matrix.user_id)
    };
    let people = People {
        authenticated: match user(&explanation.authenticated) {
            Some(id) => names::label(service, id).await,
            // A trusted identity without a user of its own (IM-4).
            None => "a trusted identity".to_owned(),
        },
        impersonated: match user(&explanation.impersonated) {
            Some(id) => Some(names::label(service, id).await),
            None => None,
        },
    };
    out.line(&render(
        &explanation,
        &people,
        arguments.request.is_some(),
        Glyphs::new(out.ascii),
    ))
}

/// The whole text: who, the matrices, and for a call whether it would pass and why.
fn render(
    explanation: &AccessExplanation,
    people: &People,
    is_about_a_call: bool,
    glyphs: Glyphs,
) -> String {
    let mut text = matrix::render(explanation, people, glyphs);
    if is_about_a_call {
        text.push('\n');
        text.push_str(&verdict::render(explanation, people, glyphs));
    }
    text.truncate(text.trim_end().len());
    text
}

async fn ask(arguments: &ExplainArguments, session: &Session) -> Result<AccessExplanation> {
    let mut call = match &arguments.of {
        None => session.service.explain_access(),
        Some(of) => {
            if session.service.caller_object_id.is_some() {
                return Err(Failure::usage(
                    "--of asks about the user of --as, not about that of --as-object-id",
                ));
            }
            // The ids say whom the question is about; it is asked by the authenticated user itself.
            let service = &session.authenticated;
            let call = service
                .explain_access()
                .authenticated_user(names::user(service, of).await?);
            match session.act_as {
                Some(user) => call.impersonated_user(user),
                None => call,
            }
        }
    };
    match &arguments.request {
        None => call = call.tables(&arguments.what),
        Some(message) => {
            call = call.request(request(message, arguments, &session.authenticated).await?);
        }
    }
    Ok(call.await?)
}

/// The call that `--request` describes.
async fn request(
    message: &str,
    arguments: &ExplainArguments,
    service: &OrganizationServiceClient,
) -> Result<OrganizationRequest> {
    if let Some(path) = &arguments.json {
        return json::to_request(message, json::read(path)?);
    }
    let call = CallArguments::read(&arguments.what)?;
    let principal = async || match &arguments.to {
        Some(to) => names::principal(service, to).await,
        None => Err(Failure::usage(format!("{message} needs --to"))),
    };
    Ok(match message.to_ascii_lowercase().as_str() {
        "create" => OrganizationRequest::create(call.record()),
        "update" => {
            call.target()?;
            OrganizationRequest::update(call.record())
        }
        "retrieve" => OrganizationRequest::retrieve(call.target()?, ColumnSet::default()),
        "delete" => OrganizationRequest::delete(call.target()?),
        "retrievemultiple" => {
            OrganizationRequest::retrieve_multiple(QueryExpression::new(call.table))
        }
        "assign" => OrganizationRequest::assign(call.target()?, principal().await?),
        "grantaccess" | "share" => OrganizationRequest::grant_access(
            call.target()?,
            PrincipalAccess::new(principal().await?, arguments.rights),
        ),
        "modifyaccess" | "modifyshare" => OrganizationRequest::modify_access(
            call.target()?,
            PrincipalAccess::new(principal().await?, arguments.rights),
        ),
        "revokeaccess" | "unshare" => {
            OrganizationRequest::revoke_access(call.target()?, principal().await?)
        }
        _ => {
            return Err(Failure::usage(format!(
                "the parameters of `{message}` are not known here: give them with --json"
            )));
        }
    })
}

/// `TABLE [ID] [COLUMN=VALUE…]`
#[derive(Debug)]
struct CallArguments<'a> {
    table: &'a str,
    id: Option<Uuid>,
    assignments: Vec<Assignment>,
}

impl<'a> CallArguments<'a> {
    fn read(what: &'a [String]) -> Result<Self> {
        let (table, rest) = what
            .split_first()
            .ok_or_else(|| Failure::usage("--request needs the table of the call"))?;
        let (id, rest) = match rest.split_first() {
            Some((id, rest)) if !id.contains('=') => (Some(required_guid(id)?), rest),
            _ => (None, rest),
        };
        let assignments = rest
            .iter()
            .map(|text| text.parse::<Assignment>().map_err(Failure::usage))
            .collect::<Result<_>>()?;
        Ok(Self {
            table,
            id,
            assignments,
        })
    }

    fn target(&self) -> Result<EntityReference> {
        self.id
            .map(|id| EntityReference::new(self.table, id))
            .ok_or_else(|| Failure::usage("the call needs the id of a record after the table"))
    }

    fn record(&self) -> Entity {
        let mut record = Entity::new(self.table);
        record.id = self.id;
        Assignment::set_all(record, &self.assignments)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_call_is_a_table_an_id_and_columns() {
        let id = "e6fa5509-2582-e811-a95e-000d3af40ae7";
        let what = words(&format!("account {id} name=x creditonhold:bool=true"));
        let record = CallArguments::read(&what).unwrap().record();
        assert_eq!(record.id.map(|id| id.to_string()).as_deref(), Some(id));
        assert_eq!(record.attributes.len(), 2);

        let what = words("account name=x");
        let call = CallArguments::read(&what).unwrap();
        assert_eq!(call.id, None);
        assert!(call.target().is_err());

        assert!(CallArguments::read(&[]).is_err());
        assert!(CallArguments::read(&words("account contoso")).is_err());
        assert!(CallArguments::read(&words("account name=x y")).is_err());
    }
}
