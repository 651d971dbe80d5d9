//! This server, as one of the processes that are measured: the real store, organization and
//! transport, filled once and served with and without TLS.

use std::{fs, path::Path, sync::Arc, thread};

use orgservice_security::UserId;
use orgservice_server::{
    caller::Caller,
    directory::{BASIC_USER, DELEGATE},
    metadata::DefinitionsBuilder,
    model::{Entity, EntityReference, OrganizationRequest, Relationship, Value},
    operations::bootstrap::BootstrapOptions,
    organization::{CallOptions, Organization, OrganizationOptions},
    storage::{
        Direction, EmbeddedStore, Store,
        engine::{SledEngine, SledOptions},
        keys,
    },
    transport::{self, TlsOptions, TransportOptions},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{
    Outcome,
    child::{self, Ready},
    data::{self, Content, TABLE},
};

/// sled's cache, as the server binary sets it by default.
pub const CACHE_BYTES: u64 = 256 * 1024 * 1024;

const SESSION: &str = "session";
const CERTIFICATE: &str = "certificate.pem";

/// Threads that fill a fresh store; group commit makes one commit of theirs.
const FILLERS: usize = 32;

/// Who calls, and what a Create writes: found out once, kept beside the store.
#[derive(Debug, Deserialize, Serialize)]
pub struct Session {
    /// Token of a user with Basic User who owns every second record.
    pub owner_token: String,
    /// Its id.
    pub owner: Uuid,
    /// Token of a user with Basic User and Delegate who owns nothing.
    pub delegate_token: String,
    /// Its id.
    pub delegate: Uuid,
    /// Every pair that one Create wrote, and the id that it was written for.
    pub written: Vec<(Vec<u8>, Vec<u8>)>,
    /// The record of that Create.
    pub written_id: Uuid,
}

impl Session {
    /// Reads what [`run`] has left in its folder.
    pub fn read(folder: &Path) -> Outcome<Self> {
        Ok(postcard::from_bytes(&fs::read(folder.join(SESSION))?)?)
    }
}

/// The certificate that the TLS listener shows.
pub fn certificate(folder: &Path) -> Outcome<Vec<u8>> {
    Ok(fs::read(folder.join(CERTIFICATE))?)
}

/// Serves until standard input ends.
pub async fn run(folder: &Path, records: usize) -> Outcome<()> {
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(Box::new(SledEngine::open(
        &SledOptions {
            directory: folder.join("store"),
            cache_bytes: CACHE_BYTES,
        },
    )?))?);
    let definitions = DefinitionsBuilder::system().build()?;
    let organization =
        Organization::open(store, OrganizationOptions::new(definitions, "sled")).map_err(told)?;
    if !folder.join(SESSION).exists() {
        let session = fill(&organization, records)?;
        fs::write(folder.join(SESSION), postcard::to_stdvec(&session)?)?;
    }
    let plain = TcpListener::bind("127.0.0.1:0").await?;
    let secured = TcpListener::bind("127.0.0.1:0").await?;
    let ready = Ready {
        addresses: vec![plain.local_addr()?, secured.local_addr()?],
    };
    let options = TransportOptions {
        tls: None,
        reflection: false,
        drain: Duration::from_secs(1),
    };
    let with_tls = TransportOptions {
        tls: Some(tls(folder)?),
        ..options.clone()
    };
    let plain = transport::serve(plain, organization.clone(), options, child::told_to_end());
    let secured = transport::serve(secured, organization, with_tls, child::told_to_end());
    ready.tell()?;
    let (plain, secured) = tokio::join!(plain, secured);
    plain?;
    secured?;
    Ok(())
}

fn tls(folder: &Path) -> Outcome<TlsOptions> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let certificate = made.cert.pem().into_bytes();
    fs::write(folder.join(CERTIFICATE), &certificate)?;
    Ok(TlsOptions {
        certificate,
        key: made.signing_key.serialize_pem().into_bytes(),
    })
}

/// Makes the organization, two users, and the records: even ones the owner's, odd ones the
/// administrator's.
fn fill(organization: &Organization, records: usize) -> Outcome<Session> {
    let first = organization
        .bootstrap(&BootstrapOptions {
            organization_name: "Measured".into(),
            administrator_name: "First Administrator".into(),
        })
        .map_err(told)?
        .ok_or("the store is not empty, and has no session")?;
    let administrator = Caller::direct(UserId(first.administrator));
    let owner = user(organization, &administrator, "Owner", &[BASIC_USER])?;
    let delegate = user(
        organization,
        &administrator,
        "Delegate",
        &[BASIC_USER, DELEGATE],
    )?;
    let token = |user: Uuid| -> Outcome<String> {
        let made = organization.create_token(&administrator, user, "measured".into(), None);
        Ok(made.map_err(told)?.1)
    };
    let (owner_token, delegate_token) = (token(owner)?, token(delegate)?);
    let caller = Caller::direct(UserId(owner));

    let written_id = Uuid::now_v7();
    let before = pairs(organization)?;
    create(organization, &caller, written_id, 0)?;
    let mut written = pairs(organization)?;
    written.retain(|(key, _)| contains(key, written_id) && !before.iter().any(|(k, _)| k == key));

    thread::scope(|scope| {
        let fillers: Vec<_> = (0..FILLERS)
            .map(|filler| {
                let (owner, administrator) = (&caller, &administrator);
                scope.spawn(move || {
                    (filler..records).step_by(FILLERS).try_for_each(|number| {
                        let caller = if number % 2 == 0 {
                            owner
                        } else {
                            administrator
                        };
                        let salt = number as u64;
                        create(organization, caller, data::record_id(number), salt)
                    })
                })
            })
            .collect();
        fillers.into_iter().try_for_each(|filler| {
            filler
                .join()
                .unwrap_or_else(|_| Err("a thread that fills the store panicked".into()))
        })
    })?;
    Ok(Session {
        owner_token,
        owner,
        delegate_token,
        delegate,
        written,
        written_id,
    })
}

fn user(
    organization: &Organization,
    administrator: &Caller,
    name: &str,
    templates: &[Uuid],
) -> Outcome<Uuid> {
    let snapshot = organization.snapshot();
    let unit = snapshot
        .directory()
        .root_unit()
        .ok_or("there is no root unit")?
        .id;
    let id = Uuid::now_v7();
    let record = Entity::new("systemuser")
        .with_id(id)
        .with("firstname", name)
        .with("lastname", "Measured")
        .with("domainname", name)
        .with(
            "businessunitid",
            Value::EntityReference(EntityReference::new("businessunit", unit.0)),
        );
    execute(
        organization,
        administrator,
        OrganizationRequest::new("Create").with("Target", record),
    )?;
    let roles = snapshot
        .directory()
        .roles()
        .filter(|role| {
            role.template
                .is_some_and(|template| templates.contains(&template))
        })
        .map(|role| EntityReference::new("role", role.id.0))
        .collect();
    let relationship = Relationship {
        schema_name: "systemuserroles_association".into(),
        primary_entity_role: None,
    };
    let request = OrganizationRequest::new("Associate")
        .with(
            "Target",
            Value::EntityReference(EntityReference::new("systemuser", id)),
        )
        .with("Relationship", Value::Relationship(relationship))
        .with("RelatedEntities", Value::EntityReferences(roles));
    execute(organization, administrator, request)?;
    Ok(id)
}

fn create(organization: &Organization, caller: &Caller, id: Uuid, salt: u64) -> Outcome<()> {
    let mut record = Entity::new(TABLE).with_id(id);
    for (name, content) in data::columns(salt) {
        record = match content {
            Content::Text(text) => record.with(name, text),
            Content::Number(number) => record.with(name, number),
        };
    }
    let request = OrganizationRequest::new("Create").with("Target", record);
    execute(organization, caller, request)
}

fn execute(
    organization: &Organization,
    caller: &Caller,
    request: OrganizationRequest,
) -> Outcome<()> {
    let outcome = organization.execute(caller, request, &CallOptions::default());
    outcome.map(drop).map_err(told)
}

fn told(fault: orgservice_server::fault::Fault) -> Box<dyn std::error::Error + Send + Sync> {
    fault.body().message.clone().into()
}

fn pairs(organization: &Organization) -> Outcome<Vec<(Vec<u8>, Vec<u8>)>> {
    let view = organization.store().read()?;
    let pairs = view.scan(&keys::everything(), Direction::Forward, usize::MAX)?;
    Ok(pairs
        .into_iter()
        .map(|(key, value)| (key.to_vec(), value.to_vec()))
        .collect())
}

fn contains(key: &[u8], id: Uuid) -> bool {
    key.windows(16).any(|part| part == id.as_bytes())
}
