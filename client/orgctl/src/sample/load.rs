//! Sends the records of the sample to the server. Loading again changes what is there already.

use std::{collections::BTreeSet, path::Path};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use orgservice_client::{
    Entity, OrganizationRequest, OrganizationResponse, OrganizationServiceClient, QueryExpression,
    Uuid, column,
};
use serde_json::json;

use super::{
    northwind::Northwind,
    plan::{self, Ground, Plan, Seed},
    roles,
};
use crate::{
    commands::{
        role::{add_privileges, privilege_ids},
        team::{TEAM_ROLES, membership},
        token,
        user::USER_ROLES,
    },
    failure::{Failure, Result},
    names,
    output::Output,
    session::Session,
};

/// Companies per transaction, three requests each: small enough to show progress, large enough to be quick.
const COMPANIES_PER_TRANSACTION: usize = 20;

/// Requests per transaction of everything else; the server allows 1000 (XT-2).
const REQUESTS_PER_TRANSACTION: usize = 100;

/// By which the tokens of the sample are known again.
const TOKEN_LABEL: &str = "Northwind sample";

/// How many records were created and how many were there already.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    created: usize,
    updated: usize,
}

/// Loads the data set and says what can be tried with it.
pub async fn load(
    data: &Northwind,
    save_token: Option<&Path>,
    session: &Session,
    out: &mut Output,
) -> Result<()> {
    let service = &session.service;
    let ground = ground(service).await?;
    let plan = plan::plan(data, ground);
    let loader = Loader::new(service, &plan);
    let mut tally = Tally::default();
    loader
        .seeds("business units", &plan.units, &mut tally)
        .await?;
    loader.seeds("roles", &plan.roles, &mut tally).await?;
    loader.privileges().await?;
    loader.seeds("users", &plan.users, &mut tally).await?;
    loader.grants(&plan).await?;
    loader.seeds("teams", &plan.teams, &mut tally).await?;
    loader.members(&plan).await?;
    loader.companies(&plan, &mut tally).await?;
    loader.bar.finish_and_clear();
    let token = application_token(service, save_token).await?;
    summary(data, tally, &token, out)
}

/// The root business unit and its default team.
async fn ground(service: &OrganizationServiceClient) -> Result<Ground> {
    let root_unit = names::root_business_unit(service).await?;
    let query = QueryExpression::new("team")
        .filter(
            column("businessunitid")
                .equal(root_unit)
                .and(column("isdefault").equal(true)),
        )
        .top(1);
    let team = service.retrieve_multiple(query).await?.entities.pop();
    let team = team.ok_or_else(|| {
        Failure::usage("the default team of the root business unit cannot be read")
    })?;
    Ok(Ground {
        root_unit,
        root_team: names::id_of(&team)?,
    })
}

struct Loader<'a> {
    service: &'a OrganizationServiceClient,
    bar: ProgressBar,
}

impl<'a> Loader<'a> {
    /// With a bar that is drawn only where somebody looks: on a terminal.
    fn new(service: &'a OrganizationServiceClient, plan: &Plan) -> Self {
        let seeds = plan.units.len() + plan.roles.len() + plan.users.len() + plan.teams.len();
        let others = plan.grants.len() + plan.members.len() + roles::all().len();
        let companies = plan.companies.len();
        let bar = ProgressBar::new((seeds + others + companies) as u64);
        if let Ok(style) = ProgressStyle::with_template("{msg:16} {wide_bar} {pos}/{len}") {
            bar.set_style(style);
        }
        Self { service, bar }
    }

    /// Upserts records, those that exist without the columns that place them.
    async fn seeds(&self, what: &'static str, seeds: &[Seed], tally: &mut Tally) -> Result<()> {
        self.bar.set_message(what);
        let present = self.present(seeds).await?;
        for chunk in seeds.chunks(REQUESTS_PER_TRANSACTION) {
            let requests = chunk.iter().map(|seed| {
                let is_present = seed.record.id.is_some_and(|id| present.contains(&id));
                OrganizationRequest::upsert(if is_present {
                    seed.for_update()
                } else {
                    seed.record.clone()
                })
            });
            count(&self.service.execute_transaction(requests).await?, tally)?;
            self.bar.inc(chunk.len() as u64);
        }
        Ok(())
    }

    /// Which of the records exist.
    async fn present(&self, seeds: &[Seed]) -> Result<BTreeSet<Uuid>> {
        let mut present = BTreeSet::new();
        let Some(first) = seeds.first() else {
            return Ok(present);
        };
        let table = &first.record.logical_name;
        let ids = seeds.iter().filter_map(|seed| seed.record.id);
        let query = QueryExpression::new(table).filter(column(format!("{table}id")).is_in(ids));
        let mut rows = self.service.stream::<Entity>(&query);
        while let Some(row) = rows.try_next().await? {
            present.extend(row.id);
        }
        Ok(present)
    }

    async fn privileges(&self) -> Result<()> {
        self.bar.set_message("privileges");
        let roles = roles::all();
        let mut names: Vec<&str> = roles
            .iter()
            .flat_map(|role| role.privileges.iter().map(|(name, _)| name.as_str()))
            .collect();
        names.sort_unstable();
        names.dedup();
        let ids = privilege_ids(self.service, &names).await?;
        let requests = roles.iter().map(|role| {
            let privileges = role
                .privileges
                .iter()
                .filter_map(|(name, depth)| Some((*ids.get(name)?, *depth)));
            add_privileges(plan::role_id(role.name), privileges)
        });
        self.service.execute_transaction(requests).await?;
        self.bar.inc(roles.len() as u64);
        Ok(())
    }

    /// Gives the roles: to each holder the copy in its own business unit.
    async fn grants(&self, plan: &Plan) -> Result<()> {
        self.bar.set_message("roles of users");
        for grant in &plan.grants {
            let role = names::role_copy(self.service, grant.role, grant.unit).await?;
            let role = orgservice_client::EntityReference::new("role", role);
            let relationship = if grant.holder.logical_name == "team" {
                TEAM_ROLES
            } else {
                USER_ROLES
            };
            let given = self
                .service
                .associate(&grant.holder, relationship, [role])
                .await;
            match given {
                // It was given when the sample was loaded before (AS-2).
                Err(error) if error.is_duplicate() => {}
                other => other?,
            }
            self.bar.inc(1);
        }
        Ok(())
    }

    async fn members(&self, plan: &Plan) -> Result<()> {
        self.bar.set_message("members of teams");
        let teams: Vec<_> = plan.members.iter().collect();
        for chunk in teams.chunks(REQUESTS_PER_TRANSACTION) {
            let requests = chunk
                .iter()
                .map(|(team, users)| membership("AddMembersTeam", **team, users.iter().copied()));
            self.service.execute_transaction(requests).await?;
            self.bar.inc(chunk.len() as u64);
        }
        Ok(())
    }

    async fn companies(&self, plan: &Plan, tally: &mut Tally) -> Result<()> {
        self.bar.set_message("accounts");
        for chunk in plan.companies.chunks(COMPANIES_PER_TRANSACTION) {
            let requests = chunk.iter().flat_map(|[account, contact, named]| {
                [
                    OrganizationRequest::upsert(account.clone()),
                    OrganizationRequest::upsert(contact.clone()),
                    OrganizationRequest::update(named.clone()),
                ]
            });
            count(&self.service.execute_transaction(requests).await?, tally)?;
            self.bar.inc(chunk.len() as u64);
        }
        Ok(())
    }
}

/// Counts the answers of upserts; those of other messages say nothing of the kind.
fn count(responses: &[OrganizationResponse], tally: &mut Tally) -> Result<()> {
    for response in responses {
        match response.get::<Option<bool>>("RecordCreated")? {
            Some(true) => tally.created += 1,
            Some(false) => tally.updated += 1,
            None => {}
        }
    }
    Ok(())
}

/// What became of the application user's token.
enum ApplicationToken {
    /// It was made, and this is it.
    New(String),
    /// It was made and saved to the file.
    Saved(String),
    /// One of an earlier load still works.
    Present,
    /// Whoever loads the sample may not make tokens.
    Refused,
}

async fn application_token(
    service: &OrganizationServiceClient,
    save: Option<&Path>,
) -> Result<ApplicationToken> {
    let user = plan::application_user();
    let tokens = match service.list_tokens().user(user).await {
        Err(error) if error.is_permission_denied() => return Ok(ApplicationToken::Refused),
        tokens => tokens?,
    };
    let now = Timestamp::now();
    let earlier: Vec<_> = tokens
        .iter()
        .filter(|token| token.label == TOKEN_LABEL && token.revoke_time.is_none())
        .filter(|token| token.expire_time.is_none_or(|time| time > now))
        .collect();
    let Some(file) = save else {
        if !earlier.is_empty() {
            return Ok(ApplicationToken::Present);
        }
        let token = service.create_token(user, TOKEN_LABEL).await?;
        return Ok(ApplicationToken::New(token.token));
    };
    let token = service.create_token(user, TOKEN_LABEL).await?;
    token::save(file, &token.token)?;
    // Only now: the new one is safe.
    for token in earlier {
        service.revoke_token(token.token_id).await?;
    }
    Ok(ApplicationToken::Saved(file.display().to_string()))
}

fn summary(
    data: &Northwind,
    tally: Tally,
    token: &ApplicationToken,
    out: &mut Output,
) -> Result<()> {
    if out.is_json() {
        let (token, file) = match token {
            ApplicationToken::New(token) => (Some(token), None),
            ApplicationToken::Saved(file) => (None, Some(file)),
            ApplicationToken::Present | ApplicationToken::Refused => (None, None),
        };
        return out.json(&json!({
            "created": tally.created,
            "updated": tally.updated,
            "applicationUserId": plan::application_user(),
            "token": token,
            "tokenFile": file,
        }));
    }
    out.line(&format!(
        "Northwind is loaded: {} regions, {} territories, {} employees, {} customers, {} suppliers; \
         {} records created, {} updated.",
        data.regions.len(),
        data.territories.len(),
        data.employees.len(),
        data.customers.len(),
        data.suppliers.len(),
        tally.created,
        tally.updated,
    ))?;
    let option = match token {
        ApplicationToken::New(token) => {
            out.line(&format!(
                "Token of the application user \"Northwind Integration\", shown this once:\n  {token}"
            ))?;
            "--token TOKEN".to_owned()
        }
        ApplicationToken::Saved(file) => {
            out.line(&format!(
                "The token of the application user \"Northwind Integration\" is saved to {file}; \
                 earlier ones no longer work."
            ))?;
            format!("--token-file {file}")
        }
        ApplicationToken::Present => {
            out.line(
                "The application user \"Northwind Integration\" has a token already; --save-token makes \
                 another one.",
            )?;
            "--token TOKEN".to_owned()
        }
        ApplicationToken::Refused => {
            out.line(
                "No token was made for the application user \"Northwind Integration\": only System \
                 Administrators may.",
            )?;
            "--token TOKEN".to_owned()
        }
    };
    out.line(&format!(
        "\nTry next, as a service that acts for Nancy Davolio, a sales representative, \
         or for Steven Buchanan, who may do more than the service:\n  \
         orgctl {option} query account --count\n  \
         orgctl {option} --as 'Nancy Davolio' query account --columns name,address1_city,ownerid --order name\n  \
         orgctl {option} --as 'Nancy Davolio' explain account contact\n  \
         orgctl {option} --as 'Steven Buchanan' explain account contact"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_upserts_are_counted() {
        let mut answer = OrganizationResponse::default();
        let mut tally = Tally::default();
        count(&[answer.clone()], &mut tally).unwrap();
        answer
            .results
            .insert("RecordCreated".to_owned(), true.into());
        count(&[answer.clone(), answer.clone()], &mut tally).unwrap();
        answer
            .results
            .insert("RecordCreated".to_owned(), false.into());
        count(&[answer], &mut tally).unwrap();
        assert_eq!((tally.created, tally.updated), (2, 1));
    }

    #[test]
    fn transactions_stay_below_the_limit_of_the_server() {
        const { assert!(REQUESTS_PER_TRANSACTION <= 1000) };
        const { assert!(3 * COMPANIES_PER_TRANSACTION <= 1000) };
    }
}
