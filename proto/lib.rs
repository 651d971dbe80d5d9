//! The contract of the organization service: generated messages, clients and servers, the descriptor
//! set for reflection, and the names that both ends of a connection share.
//!
//! The source of everything in [`v1`] are the files in `proto/orgservice/v1/`, and so is their
//! documentation; `types.proto` begins with the rules that every reader and every change must know.
//! Server and client depend on this crate and on nothing of each other.
//!
//! ```
//! use orgservice::v1::{CreateRequest, Entity, value::Kind};
//!
//! let account = Entity {
//!     logical_name: "account".into(),
//!     attributes: [
//!         ("name".into(), Kind::StringValue("Contoso".into()).into()),
//!         ("numberofemployees".into(), Kind::IntegerValue(500).into()),
//!     ]
//!     .into(),
//!     ..Entity::default()
//! };
//! let request = CreateRequest { target: Some(account), options: None };
//! # assert_eq!(request.target.unwrap().attributes.len(), 2);
//! ```

/// Package `orgservice.v1`: messages, and the modules of the generated clients and servers.
pub mod v1 {
    #![allow(
        clippy::allow_attributes_without_reason,
        reason = "the generators write such attributes"
    )]

    tonic::include_proto!("orgservice.v1");
}

pub mod metadata_keys;

mod value;

/// The encoded `FileDescriptorSet` of the contract and of all that it imports, comments included:
/// what the server registers for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("orgservice_descriptor");

/// The `domain` of every `google.rpc.ErrorInfo` that the server sends.
pub const ERROR_DOMAIN: &str = "orgservice";

/// Bytes that one gRPC message may have unless configured otherwise: 64 MiB. Server and SDK both set
/// it, because tonic's own default for decoding is 4 MiB.
pub const MESSAGE_SIZE_LIMIT: usize = 64 * 1024 * 1024;
