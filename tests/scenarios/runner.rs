//! Plays examples, and looks at every line from every side.
//!
//! An example is played twice, each time in a world of its own: once through the typed RPCs and once
//! through Execute; both plays must go the same way (GR-2). For every line of a play
//!
//! - ExplainAccess is asked first, by an administrator and by the pair itself, and must foresee what
//!   the call then does;
//! - Retrieve, RetrieveMultiple and RetrievePrincipalAccess must agree on whether the subject reads
//!   the record, and RetrievePrincipalAccess on whether the write will be refused (SH-7, §12.1 6);
//! - a refusal has the status, reason and code of its fault, names who lacked what, and leaves the
//!   store as it was (§12.1 7).

use std::{collections::BTreeMap, fmt::Write as _};

use orgservice::v1::{
    ConditionExpression, ConditionOperator, FilterExpression, OrganizationRequest, PrivilegeDepth,
    PrivilegeMatrixRow, QueryExpression, Value, query, value::Kind,
};
use orgservice_security::Right;
use orgservice_server::fault::FaultCode;

use super::{
    format::{Example, File, Line},
    messages::message,
    outcomes::{code, has_row, is_denial, status, text, verdict, verdict_of_rows},
    pair::Pair,
};
use crate::support::{
    client::{Door, Outcome, Refusal, Results, access_of, entity_of, rows_of, shares_of},
    notation,
    values::{all_columns, columns, everything, guid, request, retrieve, retrieve_multiple},
    world::World,
};

/// Plays every example of a file; tells of everything that went another way than it says.
pub async fn play_file(name: &str) {
    let file = File::read(name);
    let mut failures = Vec::new();
    for example in &file.example {
        failures.extend(play_both(example).await);
    }
    assert!(
        failures.is_empty(),
        "{name}: {}\n{} of {} examples: {} failures\n\n{}",
        file.title,
        failures.len(),
        file.example.len(),
        failures.len(),
        failures.join("\n")
    );
}

/// Both plays of an example, and whether they went the same way.
async fn play_both(example: &Example) -> Vec<String> {
    let typed = Play::of(example, Door::Typed).await;
    let execute = Play::of(example, Door::Execute).await;
    let mut failures = typed.failures;
    for (line, (a, b)) in typed.transcript.iter().zip(&execute.transcript).enumerate() {
        if a != b {
            failures.push(format!(
                "{}, line {}: the typed RPC and Execute differ:\n    {a}\n    {b}",
                example.name(),
                line + 1
            ));
        }
    }
    for failure in execute.failures {
        if !failures.contains(&failure) {
            failures.push(failure);
        }
    }
    failures
}

/// One play of an example.
struct Play {
    world: World,
    door: Door,
    place: String,
    transcript: Vec<String>,
    failures: Vec<String>,
}

impl Play {
    async fn of(example: &Example, door: Door) -> Self {
        let mut play = Play {
            world: World::build(&example.given).await,
            door,
            place: String::new(),
            transcript: Vec::new(),
            failures: Vec::new(),
        };
        for (number, line) in example.check.iter().enumerate() {
            play.place = format!("{}, line {}", example.name(), number + 1);
            play.line(line).await;
        }
        play
    }

    fn fail(&mut self, what: impl AsRef<str>) {
        let what = self.world.named(what.as_ref());
        self.failures.push(format!("{}: {what}", self.place));
    }

    fn require(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.fail(otherwise());
        }
    }

    async fn line(&mut self, line: &Line) {
        let pair = Pair::of(&self.world, line);
        let before = self.world.server.content_hash();
        if !line.effective.is_empty() {
            self.effective(line, &pair).await;
        }
        if line.message == "ExplainAccess" {
            return;
        }
        let request = message(&self.world, line);
        let foreseen = self.explain(&pair, &request).await;
        let reading = self.reading(line, &pair).await;
        let rights = self.rights_of_subject(line, &pair).await;
        let unchanged = self.world.server.content_hash() == before;
        self.require(unchanged, || {
            "explaining or reading changed the store".to_owned()
        });

        let outcome = pair.client.send(self.door, request.clone()).await;
        self.name_what_is_new(line, &outcome);
        self.transcript.push(self.tell(&outcome));
        let told = self.tell(&outcome);
        for (asked, foresight) in foreseen {
            if line.foreseen && foresight != verdict(&outcome) {
                self.fail(format!(
                    "ExplainAccess asked by {asked} foresaw {foresight}, but the call was {told}"
                ));
            }
        }
        if line.message == "Retrieve"
            && let Some(reading) = reading
            && reading != verdict(&outcome)
        {
            self.fail(format!("Retrieve answered {reading} and then {told}"));
        }
        self.judge_rights(line, &pair, rights, &outcome);
        self.judge(line, &pair, &outcome, before);
        if outcome.is_ok() || line.expect != "allow" {
            self.effects(line).await;
        }
    }

    /// What ExplainAccess foresees, by whom it is asked.
    async fn explain(
        &mut self,
        pair: &Pair,
        request: &OrganizationRequest,
    ) -> Vec<(&'static str, String)> {
        let mut foreseen = Vec::new();
        let mut asked = vec![("the pair", pair.client.clone(), None)];
        if let Some(ids) = pair.ids {
            asked.push((
                "an administrator",
                self.world.administrator.clone(),
                Some(ids),
            ));
        }
        for (asker, client, about) in asked {
            match client.explain(about, Some(request.clone())).await {
                Ok(explanation) => {
                    if explanation.allowed != explanation.fault.is_none() {
                        self.fail("an explanation is allowed and has a fault, or neither");
                    }
                    let fault = explanation.fault.map(|fault| fault.error_name);
                    foreseen.push((asker, fault.unwrap_or_else(|| "allow".to_owned())));
                }
                // Whoever may only ask who he is cannot ask for explanations (U-8).
                Err(refusal)
                    if request.request_name == "WhoAmI"
                        && refusal.name() == FaultCode::UserNotAssignedRoles.name() => {}
                Err(refusal) => foreseen.push((asker, refusal.name().to_owned())),
            }
        }
        foreseen
    }

    /// Whether the pair reads the record of the line: three roads, one answer.
    async fn reading(&mut self, line: &Line, pair: &Pair) -> Option<String> {
        let name = line
            .record
            .as_deref()
            .filter(|name| self.world.knows(name))?;
        let target = self.world.reference(name);
        let table = target.logical_name.clone();
        // The built-in users show in no list (U-6).
        if !READABLE.contains(&&*table) || name == "SYSTEM" {
            return None;
        }
        let single = pair
            .client
            .send(self.door, retrieve(target.clone(), columns([])))
            .await;
        let answer = verdict(&single);
        for (road, query) in [
            ("a query of the table", everything(&table)),
            ("a query for its id", by_id(&table, &target.id)),
        ] {
            let rows = pair.client.send(self.door, retrieve_multiple(query)).await;
            let agrees = match (&single, &rows) {
                (Ok(_), Ok(rows)) => has_row(rows, &target.id),
                (Err(refusal), Ok(rows)) => {
                    let absent = [FaultCode::AccessDenied, FaultCode::ObjectDoesNotExist];
                    let silent = absent.iter().any(|code| code.name() == refusal.name());
                    silent && !has_row(rows, &target.id)
                }
                (Err(a), Err(b)) => a.name() == b.name(),
                (Ok(_), Err(_)) => false,
            };
            self.require(agrees, || {
                format!(
                    "Retrieve answered {answer}, {road} {}",
                    verdict_of_rows(&rows, &target.id)
                )
            });
        }
        Some(answer)
    }

    /// The rights of the subject on the record, for it alone (SH-7).
    async fn rights_of_subject(&mut self, line: &Line, pair: &Pair) -> Option<u32> {
        let subject = pair.subject?;
        let name = line
            .record
            .as_deref()
            .filter(|name| self.world.knows(name))?;
        let target = self.world.reference(name);
        let request = request(
            "RetrievePrincipalAccess",
            [
                ("Target", target.into()),
                (
                    "Principal",
                    crate::support::values::reference("systemuser", subject).into(),
                ),
            ],
        );
        let answer = self.world.administrator.execute(request).await;
        answer.ok().map(|answer| access_of(&answer))
    }

    /// RetrievePrincipalAccess and the call agree: exactly without impersonation, and with it the call
    /// can never do what the subject alone could not (IM-9).
    fn judge_rights(&mut self, line: &Line, pair: &Pair, rights: Option<u32>, outcome: &Outcome) {
        let (Some(rights), Some(needed)) = (rights, needed(line)) else {
            return;
        };
        let has_all = rights & needed == needed;
        let told = self.tell(outcome);
        match outcome {
            Ok(_) => self.require(has_all, || {
                format!(
                    "RetrievePrincipalAccess says {rights:#x}, {needed:#x} is needed; but {told}"
                )
            }),
            Err(refusal)
                if !pair.impersonated
                    && is_denial(refusal)
                    && self.is_about(refusal, line.record.as_deref()) =>
            {
                self.require(!has_all, || {
                    format!("RetrievePrincipalAccess says {rights:#x}, which is enough; but {told}")
                });
            }
            Err(_) => {}
        }
    }

    /// Whether a refusal is about the record itself, and not about what goes along with it.
    fn is_about(&self, refusal: &Refusal, record: Option<&str>) -> bool {
        record.is_some_and(|name| {
            let target = self.world.reference(name);
            let id = refusal.metadata.get("id");
            refusal.metadata.get("table") == Some(&target.logical_name)
                && id.is_none_or(|id| *id == target.id)
        })
    }

    /// Whether the outcome is the one that the line expects.
    fn judge(&mut self, line: &Line, pair: &Pair, outcome: &Outcome, before: [u8; 32]) {
        let told = self.tell(outcome);
        match (outcome, line.expect.as_str()) {
            (Ok(results), "allow") => self.judge_answer(line, results),
            (Ok(_), expected) => self.fail(format!("{expected} was expected, but {told}")),
            (Err(refusal), expected) => {
                let unchanged = self.world.server.content_hash() == before;
                self.require(unchanged, || "a refused call changed the store".to_owned());
                if expected == "allow" {
                    self.fail(format!("it was to be allowed, but {told}"));
                    return;
                }
                let code = code(expected);
                if refusal.name() != code.name() {
                    self.fail(format!("{expected} was expected, but {told}"));
                    return;
                }
                self.judge_refusal(line, pair, refusal, code);
            }
        }
    }

    fn judge_refusal(&mut self, line: &Line, pair: &Pair, refusal: &Refusal, code: FaultCode) {
        let told = refusal.essence();
        let number = code.number().to_string();
        let whole = refusal.status == status(code.kind())
            && refusal.reason == code.reason()
            && refusal.fault.error_code == code.number()
            && refusal.metadata.get("errorCode") == Some(&number)
            && !refusal.message.is_empty()
            && refusal.fault.message == refusal.message;
        self.require(whole, || {
            format!("a refusal that does not fit its code: {told}")
        });
        if is_denial(refusal) {
            // Who lacked it is named, and is one of those the call was about (security.md 11).
            let role = refusal.metadata.get("principalRole").map(String::as_str);
            let id = refusal.metadata.get("principalId").cloned();
            let expected = match role {
                Some("caller") => (!pair.impersonated).then_some(pair.caller),
                Some("impersonator") => Some(pair.caller),
                Some("impersonated") => pair.impersonated.then_some(pair.subject),
                _ => None,
            };
            let expected = expected.flatten().map(|user| user.to_string());
            self.require(id.is_some() && id == expected, || {
                format!("the refusal does not say who lacked it: {told}")
            });
        }
        for (key, expected) in &line.because {
            let found = refusal
                .metadata
                .get(key)
                .map(|value| self.world.named(value));
            self.require(found.as_ref() == Some(expected), || {
                format!("{key} is {found:?}, not {expected}: {told}")
            });
        }
        if let Some(fields) = &line.fields {
            self.require(fields == &refusal.fields, || {
                format!("{fields:?} were to be named: {told}")
            });
        }
        if line.faulted.is_some() {
            let faulted = refusal.fault.faulted_request_index;
            self.require(faulted == line.faulted, || {
                format!("request {faulted:?} failed: {told}")
            });
        }
    }

    fn judge_answer(&mut self, line: &Line, results: &Results) {
        if let Some(expected) = &line.rows {
            let mut found: Vec<String> = rows_of(results)
                .iter()
                .map(|row| self.world.name_of(&row.id))
                .collect();
            found.sort();
            let mut expected = expected.clone();
            expected.sort();
            self.require(found == expected, || {
                format!("the rows are {found:?}, not {expected:?}")
            });
        }
        let of_retrieve = line.message == "Retrieve";
        if let Some(expected) = &line.answer {
            let found: BTreeMap<String, Value> = if of_retrieve {
                entity_of(results).attributes.clone().into_iter().collect()
            } else {
                results.clone()
            };
            let names = expected.keys().chain(found.keys().filter(|_| of_retrieve));
            let names: std::collections::BTreeSet<&String> = names.collect();
            for name in names {
                self.compare(name, found.get(name), expected.get(name));
            }
        }
        if let Some(expected) = &line.formatted {
            let found: BTreeMap<String, String> = entity_of(results)
                .formatted_values
                .clone()
                .into_iter()
                .collect();
            self.require(&found == expected, || {
                format!("the formatted values are {found:?}")
            });
        }
    }

    fn compare(&mut self, what: &str, found: Option<&Value>, expected: Option<&toml::Value>) {
        let found = self.world.text_of(found);
        let expected = expected.map_or_else(|| "null".to_owned(), text);
        self.require(found == expected, || {
            format!("{what} is {found}, not {expected}")
        });
    }

    /// What is stored afterwards, as the administrator sees it.
    async fn effects(&mut self, line: &Line) {
        let administrator = self.world.administrator.clone();
        for (name, expected) in &line.then {
            let target = self.world.reference(name);
            match administrator.execute(retrieve(target, all_columns())).await {
                Err(refusal) => self.fail(format!("{name} cannot be read: {refusal}")),
                Ok(results) => {
                    for (column, expected) in expected {
                        let found = entity_of(&results).attributes.get(column);
                        self.compare(&format!("{name}.{column}"), found, Some(expected));
                    }
                }
            }
        }
        for (name, expected) in &line.shares {
            self.shares(name, expected, line.inherited.get(name)).await;
        }
        for name in &line.gone {
            let target = self.world.reference(name);
            let found = administrator.execute(retrieve(target, columns([]))).await;
            let verdict = verdict(&found);
            self.require(verdict == FaultCode::ObjectDoesNotExist.name(), || {
                format!("{name} was to be gone: {verdict}")
            });
        }
    }

    /// With whom a record is shared: as the message tells, and as rows of principalobjectaccess, one
    /// for each principal (SH-2, SH-8).
    async fn shares(
        &mut self,
        name: &str,
        expected: &BTreeMap<String, u32>,
        inherited: Option<&BTreeMap<String, u32>>,
    ) {
        let target = self.world.reference(name);
        let told = request(
            "RetrieveSharedPrincipalsAndAccess",
            [("Target", target.clone().into())],
        );
        let told = shares_of(&self.world.administrator.run(told).await);
        let told: BTreeMap<String, u32> = told
            .into_iter()
            .map(|(principal, mask)| (self.world.name_of(&principal.to_string()), mask))
            .collect();
        self.require(&told == expected, || {
            format!("{name} is shared as {told:?}, not {expected:?}")
        });

        let rows = retrieve_multiple(matching(SHARES, "objectid", &target.id));
        let rows = self.world.administrator.run(rows).await;
        let mut stored = BTreeMap::new();
        let mut from_parents = BTreeMap::new();
        for row in rows_of(&rows) {
            let principal = self.world.text_of(row.attributes.get("principalid"));
            let principal = principal.trim_start_matches('@').to_owned();
            let mask = |column: &str| match row.attributes.get(column).map(|value| &value.kind) {
                Some(Some(Kind::IntegerValue(mask))) => mask.cast_unsigned(),
                _ => 0,
            };
            let came_down = mask("inheritedaccessrightsmask");
            if came_down != 0 {
                from_parents.insert(principal.clone(), came_down);
            }
            let twice = stored.insert(principal, mask("accessrightsmask") | came_down);
            self.require(twice.is_none(), || {
                format!("{name} has two rows for one principal")
            });
        }
        self.require(&stored == expected, || {
            format!("the rows of {name}'s shares are {stored:?}, not {expected:?}")
        });
        if let Some(inherited) = inherited {
            self.require(&from_parents == inherited, || {
                format!("{name} inherits {from_parents:?}, not {inherited:?}")
            });
        }
    }

    /// The effective row of a privilege matrix (IM-10).
    async fn effective(&mut self, line: &Line, pair: &Pair) {
        let explanation = match pair.client.explain(None, None).await {
            Ok(explanation) => explanation,
            Err(refusal) => return self.fail(format!("ExplainAccess was refused: {refusal}")),
        };
        let matrix = explanation.effective.unwrap_or_default();
        for (table, expected) in &line.effective {
            let row = matrix.rows.iter().find(|row| row.table_name == *table);
            let found = row.map(effective_row).unwrap_or_default();
            self.require(found == *expected, || {
                format!("{table} is effectively `{found}`, not `{expected}`")
            });
        }
    }

    fn name_what_is_new(&mut self, line: &Line, outcome: &Outcome) {
        let (Ok(results), Some(name)) = (outcome, &line.record) else {
            return;
        };
        if line.message == "Create"
            && let Some(Kind::GuidValue(id)) = results.get("id").and_then(|id| id.kind.as_ref())
        {
            let table = line.table.clone();
            let table = table.unwrap_or_else(|| self.world.reference(name).logical_name);
            self.world.name(name, &table, id.parse().expect("a GUID"));
        }
    }

    /// An outcome in words that are the same in every play.
    fn tell(&self, outcome: &Outcome) -> String {
        match outcome {
            Err(refusal) => self.world.named(&format!("refused: {refusal}")),
            Ok(results) => {
                let mut text = "allowed".to_owned();
                for (name, value) in results {
                    let value = match &value.kind {
                        Some(Kind::Entity(entity)) => format!("{:?}", entity.attributes.keys()),
                        Some(Kind::Entities(page)) => {
                            let ids = page.entities.iter().map(|row| &row.id);
                            format!("{:?}", ids.collect::<std::collections::BTreeSet<_>>())
                        }
                        Some(Kind::List(list)) => format!("{} values", list.values.len()),
                        other => format!("{other:?}"),
                    };
                    let _ = write!(text, " {name}={value}");
                }
                self.world.named(&text)
            }
        }
    }
}

/// The table that shows shares as rows.
const SHARES: &str = "principalobjectaccess";

/// Tables on which all roads of reading are tried.
const READABLE: [&str; 7] = [
    "account",
    "contact",
    "task",
    "x_rate",
    "systemuser",
    "team",
    "businessunit",
];

/// The bits of RetrievePrincipalAccess without which the message is refused, where nothing else about
/// it can be refused for want of a right.
fn needed(line: &Line) -> Option<u32> {
    let plain = line.set.iter().all(|(column, value)| {
        column != "ownerid" && !value.as_str().is_some_and(|text| text.starts_with('@'))
    });
    let rights = match line.message.as_str() {
        "Retrieve" => "R",
        "Update" if plain => "W",
        "Delete" => "D",
        "Assign" => "GWR",
        "RevokeAccess" => "SR",
        "GrantAccess" | "ModifyAccess" => {
            let given = notation::rights(line.rights.as_deref().unwrap_or_default());
            let needed = notation::rights("SR").into_iter().chain(given);
            return Some(notation::mask(needed));
        }
        _ => return None,
    };
    Some(notation::mask(notation::rights(rights)))
}

fn by_id(table: &str, id: &str) -> orgservice::v1::Query {
    match table {
        "task" => matching(table, "activityid", id),
        _ => matching(table, &format!("{table}id"), id),
    }
}

/// Whole rows whose column is this id.
fn matching(table: &str, column: &str, id: &str) -> orgservice::v1::Query {
    let condition = ConditionExpression {
        attribute_name: column.to_owned(),
        operator: ConditionOperator::Equal.into(),
        values: vec![guid(id.parse().expect("a GUID"))],
        ..ConditionExpression::default()
    };
    query::Query::QueryExpression(QueryExpression {
        entity_name: table.to_owned(),
        column_set: Some(all_columns()),
        criteria: Some(FilterExpression {
            conditions: vec![condition],
            ..FilterExpression::default()
        }),
        ..QueryExpression::default()
    })
    .into()
}

fn effective_row(row: &PrivilegeMatrixRow) -> String {
    let depths = [
        (Right::Create, row.create()),
        (Right::Read, row.read()),
        (Right::Write, row.write()),
        (Right::Delete, row.delete()),
        (Right::Append, row.append()),
        (Right::AppendTo, row.append_to()),
        (Right::Assign, row.assign()),
        (Right::Share, row.share()),
    ];
    let held = depths.into_iter().filter_map(|(right, depth)| {
        let depth = match depth {
            PrivilegeDepth::Unspecified => return None,
            PrivilegeDepth::Basic => orgservice_security::PrivilegeDepth::Basic,
            PrivilegeDepth::Local => orgservice_security::PrivilegeDepth::Local,
            PrivilegeDepth::Deep => orgservice_security::PrivilegeDepth::Deep,
            PrivilegeDepth::Global => orgservice_security::PrivilegeDepth::Global,
        };
        Some((right, depth))
    });
    notation::matrix(&held.collect())
}
