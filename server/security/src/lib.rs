//! Security.
#![allow(missing_docs, reason = "replaced by the crate itself")]
use uuid::Uuid;
bitflags::bitflags! {
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub struct AccessRights: u32 {
        const READ = 1; const WRITE = 2; const APPEND = 4; const APPEND_TO = 16; const CREATE = 32;
        const DELETE = 65536; const SHARE = 262_144; const ASSIGN = 524_288;
    }
}
macro_rules! ids { ($($n:ident),*) => { $(#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)] pub struct $n(pub Uuid);)* } }
ids!(
    UserId,
    TeamId,
    BusinessUnitId,
    RoleId,
    RecordId,
    OrganizationId
);
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectTypeCode(pub u32);
