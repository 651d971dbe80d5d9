//! [`Organization`]: the one door. Every message of every client comes through here, and nothing
//! else reaches a record.
//!
//! It opens a view or a transaction, admits the caller at that moment's snapshot, runs the message,
//! commits, and runs it again when another commit was faster.

mod administration;
mod commit;

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use orgservice_security::UserId;
use uuid::Uuid;

use crate::{
    caller::{Caller, CallerKeys, Identity},
    clock::{Clock, IdSource, SystemClock, SystemIds},
    directory::{Directory, SYSTEM_USER},
    fault::{Fault, FaultCode, Result},
    identity::{hash_token, new_token},
    memory::{self, Memory},
    metadata::Definitions,
    model::{
        AccessExplanation, ExplainAccess, OrganizationRequest, OrganizationResponse, RequestOptions,
    },
    operations::{
        self, Effect, Environment, Unit, Work,
        batch::{Budget, Multiple},
        bootstrap::{self, BootstrapOptions},
        explain, tokens,
    },
    snapshot::Snapshot,
    storage::{Store, keys},
};

use commit::{Attempt, Committable, read_version};

pub use administration::{ServerInfo, TokenInfo};

/// Name of the store's count of directory changes.
const DIRECTORY_VERSION: &str = "directory_version";

/// Name of the key with which paging cookies are signed (PG-4).
const COOKIE_KEY: &str = "cookie_key";

/// The organization; clones are handles to the same one.
#[derive(Clone)]
pub struct Organization(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    /// Shared with the hooks of commits under way, which may outlive the organization.
    snapshot: Arc<ArcSwap<Snapshot>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    cookie_key: [u8; 32],
    started: Timestamp,
    storage_engine: &'static str,
    trusted_hosts: Vec<String>,
    token_lifetime: SignedDuration,
}

/// How an organization is opened.
pub struct OrganizationOptions {
    /// Tables and relationships.
    pub definitions: Definitions,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<dyn IdSource>,
    /// What the store's engine is called, for RetrieveServerInfo.
    pub storage_engine: &'static str,
    /// The PrivUserGroup: ids of users, and names of hosts without a user row, that
    /// may impersonate without the Delegate privilege (IM-4).
    pub trusted_hosts: Vec<String>,
    /// How long a token works whose maker names no time; zero means until it is revoked.
    pub token_lifetime: SignedDuration,
}

impl OrganizationOptions {
    /// The machine's clock and random ids.
    pub fn new(definitions: Definitions, storage_engine: &'static str) -> Self {
        OrganizationOptions {
            definitions,
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            storage_engine,
            trusted_hosts: Vec::new(),
            token_lifetime: SignedDuration::ZERO,
        }
    }
}

/// What a client says about one call beside the message.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// The contract's options.
    pub options: RequestOptions,
    /// When the client stops waiting (GO-4).
    pub deadline: Option<Instant>,
    /// The call's activity id.
    pub correlation: Uuid,
}

/// What a first start created.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// The first administrator.
    pub administrator: Uuid,
    /// Its token, shown once.
    pub token: String,
}

impl Organization {
    /// Opens the organization of a store.
    ///
    /// # Errors
    /// What the store says.
    pub fn open(store: Arc<dyn Store>, options: OrganizationOptions) -> Result<Self> {
        let definitions = Arc::new(options.definitions);
        let (version, directory) = {
            let view = store.read()?;
            let version = read_version(&*view)?;
            (version, Directory::load(&*view, &definitions)?)
        };
        let cookie_key = cookie_key(&*store)?;
        let organization = Organization(Arc::new(Inner {
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::new(
                version,
                definitions,
                directory,
            ))),
            started: options.clock.now(),
            clock: options.clock,
            ids: options.ids,
            cookie_key,
            storage_engine: options.storage_engine,
            trusted_hosts: options.trusted_hosts,
            token_lifetime: options.token_lifetime,
            store,
        }));
        if !organization
            .snapshot()
            .directory()
            .organization()
            .id
            .is_nil()
        {
            // Tables that are new since the last start have privileges that are new too.
            let system = Caller::direct(SYSTEM_USER);
            organization.write(&system, None, bootstrap::sync_privileges)?;
        }
        Ok(organization)
    }

    /// Creates the organization, its administrator and the administrator's token in an empty store;
    /// `None` when the store already has one.
    ///
    /// # Errors
    /// What the store says.
    pub fn bootstrap(&self, options: &BootstrapOptions) -> Result<Option<Bootstrap>> {
        if !self.snapshot().directory().organization().id.is_nil() {
            return Ok(None);
        }
        let system = Caller::direct(SYSTEM_USER);
        let (token, hash) = new_secret()?;
        let administrator = self.write(&system, None, |work| {
            let administrator = bootstrap::bootstrap(work, options)?;
            tokens::create(work, administrator, "administrator", None, hash)?;
            Ok(administrator)
        })?;
        Ok(Some(Bootstrap {
            administrator,
            token,
        }))
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// `RequestIsNotAuthenticated`, `ExpiredAuthTicket`.
    pub fn authenticate(&self, token: &str) -> Result<Identity> {
        let hash = hash_token(token);
        let snapshot = self.0.snapshot.load();
        let token = snapshot
            .directory()
            .token(&hash)
            .filter(|token| token.revoked.is_none())
            .ok_or_else(not_authenticated)?;
        if token
            .expires
            .is_some_and(|expires| expires <= self.0.clock.now())
        {
            return Err(Fault::new(
                FaultCode::ExpiredAuthTicket,
                "the token has expired",
            ));
        }
        // A host without a user row holds a token of nobody, under its own name (IM-4).
        let user = (!token.user.0.is_nil()).then_some(token.user);
        let trusted_host = match user.and_then(|user| snapshot.directory().user(user)) {
            // By id alone: a name can be changed by whoever may write the user's row.
            Some(user) => self.trusts(&user.id.to_string()),
            None => self.trusts(&token.label),
        };
        Ok(Identity {
            user,
            credential: token.id,
            trusted_host,
            label: token.label.clone(),
        })
    }

    fn trusts(&self, name: &str) -> bool {
        self.0
            .trusted_hosts
            .iter()
            .any(|trusted| trusted.eq_ignore_ascii_case(name))
    }

    /// Names the pair (A, B) of a request: steps 1 to 4 of `security.md` 12.
    ///
    /// # Errors
    /// As [`Caller::resolve`].
    pub fn resolve_caller(&self, identity: &Identity, keys: &CallerKeys) -> Result<Caller> {
        Caller::resolve(&self.0.snapshot.load(), identity, keys)
    }

    /// Whether a message is a matter of microseconds and may run where it stands; not while the
    /// store would make it wait, which must not stop the network's own threads.
    pub fn is_inline(&self, message: &str) -> bool {
        operations::message(message).is_ok_and(|message| message.effect == Effect::Glance)
            && !self.0.store.is_busy()
    }

    /// Whether a message ends in one commit, so that it can be [started](Organization::start).
    pub fn commits(&self, message: &str) -> bool {
        operations::message(message).is_ok_and(|message| message.effect == Effect::Write)
    }

    /// Whether a record of this table carries no others along when it is written: those of the
    /// directory do, such as copies of roles.
    pub fn is_ordinary(table: &str) -> bool {
        !Directory::covers(table)
    }

    /// Definitions and directory of this moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot.load_full()
    }

    /// The store, for tests that compare its content.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// Runs a message for a caller.
    ///
    /// # Errors
    /// Whatever it refuses.
    pub fn execute(
        &self,
        caller: &Caller,
        mut request: OrganizationRequest,
        options: &CallOptions,
    ) -> Result<OrganizationResponse> {
        let request_id = take_options(&mut request, options)?;
        let outcome = self.run(caller, &request, request_id, options.deadline);
        if let Err(fault) = &outcome {
            log_refusal(caller, &request.name, options.correlation, fault);
        }
        outcome
    }

    /// As [`Organization::execute`], for a message that [commits](Organization::commits), without
    /// waiting for the disk: `then` is called once the outcome is known, here or by the thread that
    /// commits, and must not block.
    ///
    /// A request that another commit got ahead of is handed back: only `execute` tries again.
    pub fn start(
        &self,
        caller: &Caller,
        mut request: OrganizationRequest,
        mut options: CallOptions,
        then: impl FnOnce(Started) + Send + 'static,
    ) {
        let attempt = take_options(&mut request, &options)
            .map_err(Attempt::Refused)
            .and_then(|request_id| {
                options.options.request_id = request_id;
                let memory = remembered(caller, &request, request_id)?;
                self.attempt(caller, options.deadline, &|work| {
                    run_once(work, &request, memory.as_ref())
                })
            });
        let caller = *caller;
        let finish = move |outcome: Result<OrganizationResponse, Attempt>| {
            then(match outcome {
                Ok(response) => Started::Finished(Ok(response)),
                Err(Attempt::Conflict) => Started::Overtaken(request, options),
                Err(Attempt::Refused(fault)) => {
                    log_refusal(&caller, &request.name, options.correlation, &fault);
                    Started::Finished(Err(fault))
                }
            });
        };
        match attempt {
            Err(attempt) => finish(Err(attempt)),
            Ok(Committable {
                result,
                transaction,
                hook,
            }) => transaction.submit(
                hook,
                Box::new(move |committed| finish(committed.map(|_| result).map_err(Into::into))),
            ),
        }
    }

    fn run(
        &self,
        caller: &Caller,
        request: &OrganizationRequest,
        request_id: Option<Uuid>,
        deadline: Option<Instant>,
    ) -> Result<OrganizationResponse> {
        // A user without roles is told so before it is told that a message does not exist (U-8).
        match operations::message(&request.name).map(|message| message.effect) {
            Ok(Effect::Glance | Effect::Read) => {
                self.read(caller, deadline, |work| operations::run(work, request))
            }
            Ok(Effect::Write) => {
                let memory = remembered(caller, request, request_id)?;
                self.write(caller, deadline, |work| {
                    run_once(work, request, memory.as_ref())
                })
            }
            Ok(Effect::Batch) => self.run_multiple(caller, request, request_id, deadline),
            Err(not_built) => self.read(caller, deadline, |work| {
                work.principals().require_roles()?;
                Err(not_built.clone())
            }),
        }
    }

    /// ExecuteMultiple: each request in a transaction of its own (XM-1).
    ///
    /// With a request id every item has one derived from it, so a repeat after a crash half-way runs
    /// only what was not done.
    fn run_multiple(
        &self,
        caller: &Caller,
        request: &OrganizationRequest,
        request_id: Option<Uuid>,
        deadline: Option<Instant>,
    ) -> Result<OrganizationResponse> {
        self.read(caller, deadline, |work| work.principals().require_roles())?;
        let batch = Multiple::parse(request)?;
        let memory = remembered(caller, request, request_id)?;
        if let Some(memory) = &memory
            && let Some(response) = self.read(caller, deadline, |work| memory.recall(work))?
        {
            return Ok(response);
        }
        let mut items = Vec::with_capacity(batch.requests.len());
        let mut budget = Budget::default();
        for (index, &inner) in batch.requests.iter().enumerate() {
            let mut inner = inner.clone();
            // Inside a batch an item's own request id only fills its context (GO-2).
            inner.request_id = None;
            let outcome = budget.require().and_then(|()| {
                if inner.name == request.name {
                    return self.read(caller, deadline, |work| operations::run(work, &inner));
                }
                let id = request_id.map(|id| memory::derived(id, index));
                self.run(caller, &inner, id, deadline)
            });
            match &outcome {
                // What nobody asked for is not kept.
                Ok(_) if !batch.return_responses => continue,
                // Too much is told by the next request, which then has not run.
                Ok(response) => drop(budget.take(response)),
                Err(fault) => {
                    let activity = request_id.unwrap_or_default();
                    log_refusal(caller, &inner.name, activity, fault);
                }
            }
            let faulted = outcome.is_err();
            items.push((index, outcome));
            if faulted && !batch.continue_on_error {
                break;
            }
        }
        let response = batch.response(items);
        if let Some(memory) = memory {
            self.write(caller, deadline, |work| memory.remember(work, &response))?;
        }
        Ok(response)
    }

    /// Explains a call without running it.
    ///
    /// # Errors
    /// `PrivilegeDenied` when others are asked about by anybody but a System Administrator.
    pub fn explain_access(
        &self,
        caller: &Caller,
        question: &ExplainAccess,
        options: &CallOptions,
    ) -> Result<AccessExplanation> {
        let pair = self.read(caller, options.deadline, |work| {
            work.principals().require_roles()?;
            explain::asked_pair(work, question)
        })?;
        let view = self.0.store.read()?;
        let snapshot = self.snapshot();
        let environment = self.environment(options.deadline);
        match Work::start(environment, Unit::View(view), snapshot, pair) {
            Ok(work) => explain::explain(&mut work.explaining(), question),
            Err(fault) => Ok(explain::refused(fault)),
        }
    }

    /// Forgets requests that are older than they have to be remembered (GO-2); called now and then.
    ///
    /// # Errors
    /// What the store says.
    pub fn sweep(&self) -> Result<()> {
        let now = self.0.clock.now();
        while self.write(&Caller::direct(SYSTEM_USER), None, |work| {
            memory::sweep(work, now)
        })? {}
        Ok(())
    }

    fn environment(&self, deadline: Option<Instant>) -> Environment<'_> {
        Environment {
            store: &*self.0.store,
            ids: &*self.0.ids,
            cookie_key: &self.0.cookie_key,
            now: self.0.clock.now(),
            deadline,
        }
    }

    /// Runs reading work on one consistent view.
    fn read<T>(
        &self,
        caller: &Caller,
        deadline: Option<Instant>,
        run: impl FnOnce(&mut Work<'_>) -> Result<T>,
    ) -> Result<T> {
        // The view first, the snapshot second: while the view lives no commit becomes visible, so
        // rights and data come from the same one.
        let view = self.0.store.read()?;
        let snapshot = self.snapshot();
        let mut work = Work::start(
            self.environment(deadline),
            Unit::View(view),
            snapshot,
            *caller,
        )?;
        run(&mut work)
    }
}

/// How far a request came that was only started.
#[derive(Debug)]
pub enum Started {
    /// To its end.
    Finished(Result<OrganizationResponse>),
    /// To its commit, which another one got ahead of: it is to be executed from the beginning.
    Overtaken(OrganizationRequest, CallOptions),
}

/// Takes the options of a call over into its request, and the request's id out of both (GO-2).
fn take_options(request: &mut OrganizationRequest, options: &CallOptions) -> Result<Option<Uuid>> {
    for (name, value) in &options.options.parameters {
        request
            .parameters
            .entry(name.clone())
            .or_insert_with(|| value.clone());
    }
    match (request.request_id.take(), options.options.request_id) {
        (Some(a), Some(b)) if a != b => Err(Fault::invalid_argument(
            "options.request_id",
            "the request and its options carry different request ids",
        )),
        (a, b) => Ok(a.or(b)),
    }
}

/// What is remembered of a request that has an id (GO-2).
fn remembered(
    caller: &Caller,
    request: &OrganizationRequest,
    request_id: Option<Uuid>,
) -> Result<Option<Memory>> {
    request_id
        .map(|id| Memory::of(caller, id, request))
        .transpose()
}

/// Runs a writing message, or answers what it answered before (GO-2).
fn run_once(
    work: &mut Work<'_>,
    request: &OrganizationRequest,
    memory: Option<&Memory>,
) -> Result<OrganizationResponse> {
    match memory {
        None => operations::run(work, request),
        Some(memory) => memory.once(work, |work| operations::run(work, request)),
    }
}

/// A new token with the hash the store knows it by.
fn new_secret() -> Result<(String, [u8; 32])> {
    let token = new_token()?;
    let hash = hash_token(&token);
    Ok((token, hash))
}

fn not_authenticated() -> Fault {
    Fault::new(
        FaultCode::RequestIsNotAuthenticated,
        "the token is unknown or was revoked",
    )
}

fn cookie_key(store: &dyn Store) -> Result<[u8; 32]> {
    let key = keys::meta(COOKIE_KEY);
    let found = store.read()?.get(&key)?;
    if let Some(found) = found.and_then(|bytes| <[u8; 32]>::try_from(&*bytes).ok()) {
        return Ok(found);
    }
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(Fault::unexpected)?;
    let mut transaction = store.begin()?;
    transaction.put(key, fresh.to_vec());
    transaction.commit(None)?;
    Ok(fresh)
}

/// IM-19: refusals are logged with both ids.
fn log_refusal(caller: &Caller, message: &str, correlation: Uuid, fault: &Fault) {
    let on_behalf = |user: UserId| user.to_string();
    tracing::info!(
        target: "audit",
        %message,
        activity = %correlation,
        code = fault.code().name(),
        user = %caller.subject(),
        calling_user = caller.on_behalf_by().map(on_behalf),
        reason = %fault.body().message,
        "refused"
    );
}

#[cfg(test)]
#[path = "organization_tests.rs"]
mod tests;
