//! The Rust SDK of the organization service: typed records, queries, and delegation by `caller_id`.
//!
//! It speaks the words of `IOrganizationService`, so a developer who knows Dynamics CRM or Dataverse knows
//! most of it. This page is the first ten minutes.
//!
//! # Connect
//!
//! ```no_run
//! use std::time::Duration;
//! use orgservice_client::{OrganizationServiceClient, RetryPolicy};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let service = OrganizationServiceClient::builder("https://crm.example:50051")
//!     .token(std::env::var("ORG_TOKEN")?)
//!     .timeout(Duration::from_secs(30))
//!     .retry(RetryPolicy::default())
//!     .connect()
//!     .await?;
//!
//! let me = service.who_am_i().await?;
//! println!("user {} of business unit {}", me.user_id, me.business_unit_id);
//! # Ok(()) }
//! ```
//!
//! # Records
//!
//! An [`Entity`](struct@Entity) is a record without a type: a table, an id, and columns by logical name.
//! [`#[derive(Entity)]`](derive@Entity) makes one of a struct. The columns that are asked for come from the
//! struct, and an update sends only what an edit changed.
//!
//! ```no_run
//! use orgservice_client::{
//!     Entity, EntityReference, InTable, Money, OrganizationServiceClient, TypedEntity, Uuid,
//! };
//!
//! #[derive(Clone, Debug, Entity)]
//! #[entity(logical_name = "account")]
//! struct Account {
//!     #[entity(primary_id)]
//!     accountid: Option<Uuid>,
//!     name: String,
//!     revenue: Option<Money>,
//!     #[entity(lookup = "contact")]
//!     primarycontactid: Option<EntityReference>,
//! }
//!
//! # async fn example(service: OrganizationServiceClient) -> Result<(), orgservice_client::Error> {
//! let account = Entity::new("account").set("name", "Contoso").set("revenue", Money::new(5000));
//! let id = service.create(account).await?;
//!
//! let contoso: Account = service.retrieve(id).await?;
//! service.update(contoso.changed(|account| account.revenue = Some(Money::new(6000)))).await?;
//!
//! let same = service.retrieve_entity(id.in_table("account"), ["name", "telephone1"]).await?;
//! let phone: Option<String> = same.get("telephone1")?;
//!
//! service.delete(&same).await?;
//! # Ok(()) }
//! ```
//!
//! # Acting for somebody else
//!
//! [`caller_id`](OrganizationServiceClient::caller_id) says whom the calls of a handle run for: the
//! *impersonated user*. The *authenticated user*, who holds the token, needs the privilege
//! `prvActOnBehalfOfAnotherUser`, and a call succeeds only if both may do what it does. The property belongs
//! to the handle; clones share the connection, not the identity.
//!
//! ```no_run
//! # use orgservice_client::{Entity, OrganizationServiceClient, Uuid};
//! # async fn example(service: OrganizationServiceClient, ann: Uuid, account: Entity)
//! # -> Result<(), orgservice_client::Error> {
//! let mut as_ann = service.clone();
//! as_ann.caller_id = Some(ann);
//! as_ann.create(account.clone()).await?; // owned by Ann
//!
//! // Or for one request:
//! let refused = service.create(account).caller_id(ann).await;
//! if let Err(error) = refused
//!     && error.is_privilege_denied()
//!     && let Some(fault) = error.fault()
//! {
//!     // Which of the two users lacks which privilege; no text needs to be searched.
//!     println!("{:?} lacks {:?}", fault.side, fault.privilege);
//! }
//!
//! // Why is that? Asked for the users of the handle, it needs no privilege.
//! let explanation = as_ann.explain_access().tables(["account"]).await?;
//! # let _ = explanation;
//! # Ok(()) }
//! ```
//!
//! # Queries
//!
//! ```no_run
//! use orgservice_client::{QueryExpression, column, fetch_xml};
//! # use orgservice_client::{Entity, Money, OrganizationServiceClient, Uuid};
//! # #[derive(Clone, Debug, Entity)]
//! # #[entity(logical_name = "account")]
//! # struct Account { name: String, revenue: Option<Money> }
//!
//! # async fn example(service: OrganizationServiceClient) -> Result<(), orgservice_client::Error> {
//! let query = QueryExpression::new("account")
//!     .columns(["name", "revenue"])
//!     .filter(column("revenue").greater_than(1000).and(column("statecode").equal(0)))
//!     .order_by("name")
//!     .page_size(500);
//!
//! // One page.
//! let page = service.retrieve_multiple(&query).await?;
//! println!("{} rows, more: {}", page.entities.len(), page.more_records);
//!
//! // All pages, as a type.
//! let mut accounts = service.stream::<Account>(&query);
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{}: {:?}", account.name, account.revenue);
//! }
//!
//! let top = fetch_xml("<fetch top='5'><entity name='account'><attribute name='name'/></entity></fetch>");
//! let page = service.retrieve_multiple(top).await?;
//! # let _ = page;
//! # Ok(()) }
//! ```
//!
//! # Sharing, messages, batches
//!
//! ```no_run
//! use orgservice_client::{AccessRights, Entity, InTable, OrganizationRequest, Value};
//! # use orgservice_client::{OrganizationServiceClient, Uuid};
//!
//! # async fn example(service: OrganizationServiceClient, id: Uuid, ann: Uuid, team: Uuid)
//! # -> Result<(), orgservice_client::Error> {
//! let account = id.in_table("account");
//! service.share(&account, ann, AccessRights::READ | AccessRights::WRITE).await?;
//!
//! let add = OrganizationRequest::new("AddMembersTeam")
//!     .set("TeamId", team)
//!     .set("MemberIds", Value::list([ann]));
//! service.execute(add).await?;
//!
//! let created = service
//!     .execute_transaction(["Contoso", "Fabrikam"].map(|name| {
//!         OrganizationRequest::create(Entity::new("account").set("name", name))
//!     }))
//!     .await?;
//! let first: Uuid = created[0].get("id")?;
//! # let _ = first;
//! # Ok(()) }
//! ```
//!
//! # When things go wrong
//!
//! [`Error`] tells apart what one does about it: the server said no ([`Error::Fault`]), the call did not
//! get through ([`Error::Transport`]), a value is of another kind than expected ([`Error::Convert`]), the
//! client is misconfigured ([`Error::Config`]). Calls are repeated only where that is harmless; the whole
//! rule is at [`RetryPolicy::next_delay`]. Every write carries a `request_id`, by which the server
//! recognizes a repeat and answers it from memory instead of writing twice.
//!
//! # Reading order
//!
//! [`OrganizationServiceClient`] and [`ClientBuilder`], [`Call`]; [`Value`], [`Entity`](struct@Entity),
//! [`TypedEntity`]; [`QueryExpression`] and [`column()`]; [`RecordStream`]; [`Error`] and [`Fault`].

mod admin;
mod builder;
mod call;
mod client;
mod contract;
mod entity;
mod error;
mod explain;
mod fetch_xml;
mod filter;
pub mod operations;
mod query;
mod request;
mod retry;
mod security;
mod stream;
mod transport;
mod typed;
mod value;
mod wire;

pub use admin::{NewToken, ServerInfo, Token};
pub use builder::ClientBuilder;
pub use call::{Call, CallInfo, Operation};
pub use client::OrganizationServiceClient;
pub use entity::{
    AliasedValue, ColumnSet, Entity, EntityCollection, EntityReference, InTable, RelatedEntities,
    Relationship,
};
pub use error::{Code, ConvertError, Error, Fault, FieldViolation, TransportError, fault_code};
pub use explain::{
    AccessExplanation, AccessGround, AccessRequirement, PrivilegeMatrix, PrivilegeMatrixRow,
    QueryPlan, QueryPlanKind, RecordScope,
};
pub use filter::{Column, Condition, Filter, column};
pub use query::{
    ConditionOperator, JoinOperator, Link, Query, QueryByAttribute, QueryExpression, fetch_xml,
};
pub use request::{
    ExecuteMultipleItem, ExecuteMultipleResponse, OrganizationRequest, OrganizationResponse,
};
pub use retry::{Failure, Repeat, RetryPolicy};
pub use security::{
    AccessGroundKind, AccessRight, AccessRights, EntityRole, Principal, PrincipalAccess,
    PrincipalRole, PrivilegeDepth,
};
pub use stream::RecordStream;
#[doc(hidden)]
pub use typed::derive_support;
pub use typed::{FromEntity, IdField, LookupField, TypedEntity};
pub use value::{FromValue, Money, OptionSet, Value};

/// Implements [`TypedEntity`] for a struct with named fields.
pub use orgservice_derive::Entity;

// What appears in signatures, so that one dependency line is enough.
pub use bytes::Bytes;
pub use jiff::Timestamp;
pub use rust_decimal::Decimal;
pub use uuid::Uuid;

use orgservice::v1;

// Derived code names this crate; inside it, too.
extern crate self as orgservice_client;

/// The README's Rust compiles, too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadMe;
