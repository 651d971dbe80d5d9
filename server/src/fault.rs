//! [`Fault`]: the only error that crosses module borders upward, and the table of its codes
//! (`messages.md` 9, `security.md` 11).
//!
//! A fault names what was wrong in machine-readable details; its code alone decides the gRPC status
//! (FM-1). Storage errors become [`FaultCode::UnExpected`] with the cause kept for the log only.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// The kind of a fault: decides the gRPC status and which rich error details go with it (FM-1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "named after the gRPC statuses")]
pub enum FaultKind {
    NotFound,
    InvalidArgument,
    OutOfRange,
    FailedPrecondition,
    AlreadyExists,
    Aborted,
    PermissionDenied,
    Unauthenticated,
    Unimplemented,
    DeadlineExceeded,
    Internal,
}

macro_rules! fault_codes {
    ($($variant:ident = ($name:literal, $code:literal, $kind:ident, $reason:literal);)*) => {
        /// Every fault this server raises, by the product's name (`messages.md` 9.2).
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
        #[allow(missing_docs, reason = "each one is explained where the specification lists it")]
        pub enum FaultCode { $($variant,)* }

        impl FaultCode {
            /// Every code, for tests that walk the table.
            pub const ALL: &'static [FaultCode] = &[$(FaultCode::$variant,)*];

            /// The product's name (`ObjectDoesNotExist`).
            pub const fn name(self) -> &'static str {
                match self { $(FaultCode::$variant => $name,)* }
            }

            /// The product's code, signed as on the wire (-2147220969).
            pub const fn number(self) -> i32 {
                match self { $(FaultCode::$variant => ($code as u32).cast_signed(),)* }
            }

            /// What kind of refusal it is.
            pub const fn kind(self) -> FaultKind {
                match self { $(FaultCode::$variant => FaultKind::$kind,)* }
            }

            /// The stable machine-readable reason (`OBJECT_DOES_NOT_EXIST`).
            pub const fn reason(self) -> &'static str {
                match self { $(FaultCode::$variant => $reason,)* }
            }
        }
    };
}

fault_codes! {
    ObjectDoesNotExist = ("ObjectDoesNotExist", 0x80040217, NotFound, "OBJECT_DOES_NOT_EXIST");
    RecordNotFoundByEntityKey = ("RecordNotFoundByEntityKey", 0x80060891, NotFound, "RECORD_NOT_FOUND_BY_ENTITY_KEY");
    MetadataNotFound = ("MetadataNotFound", 0x8004024A, NotFound, "METADATA_NOT_FOUND");
    QueryBuilderNoEntity = ("QueryBuilderNoEntity", 0x80041102, InvalidArgument, "QUERY_BUILDER_NO_ENTITY");
    QueryBuilderNoAttribute = ("QueryBuilderNoAttribute", 0x80041103, InvalidArgument, "QUERY_BUILDER_NO_ATTRIBUTE");
    RelationshipNotFound = ("unManagedidsmetadatanorelationship", 0x80040E02, InvalidArgument, "RELATIONSHIP_NOT_FOUND");
    InvalidArgument = ("InvalidArgument", 0x80040203, InvalidArgument, "INVALID_ARGUMENT");
    RequiredFieldMissing = ("RequiredFieldMissing", 0x80040200, InvalidArgument, "REQUIRED_FIELD_MISSING");
    InvalidXml = ("InvalidXml", 0x80040201, InvalidArgument, "INVALID_XML");
    EntityKeyNotDefined = ("EntityKeyNotDefined", 0x80060890, InvalidArgument, "ENTITY_KEY_NOT_DEFINED");
    InvalidDateTime = ("InvalidDateTime", 0x80040239, InvalidArgument, "INVALID_DATE_TIME");
    IntegerValueOutOfRange = ("IntegerValueOutOfRange", 0x8004432F, InvalidArgument, "INTEGER_VALUE_OUT_OF_RANGE");
    DecimalValueOutOfRange = ("DecimalValueOutOfRange", 0x80044330, InvalidArgument, "DECIMAL_VALUE_OUT_OF_RANGE");
    StringLengthTooLong = ("StringLengthTooLong", 0x80044331, InvalidArgument, "STRING_LENGTH_TOO_LONG");
    PicklistValueOutOfRange = ("PicklistValueOutOfRange", 0x8004431A, InvalidArgument, "PICKLIST_VALUE_OUT_OF_RANGE");
    InvalidOwnerId = ("InvalidOwnerID", 0x80040229, InvalidArgument, "INVALID_OWNER_ID");
    QueryBuilderInvalidConditionOperator = ("QueryBuilderInvalidConditionOperator", 0x80041120, InvalidArgument, "QUERY_BUILDER_INVALID_CONDITION_OPERATOR");
    QueryBuilderBadCondition = ("QueryBuilderBad_Condition", 0x80041106, InvalidArgument, "QUERY_BUILDER_BAD_CONDITION");
    QueryBuilderInvalidValue = ("QueryBuilderInvalid_Value", 0x80041108, InvalidArgument, "QUERY_BUILDER_INVALID_VALUE");
    QueryBuilderByAttributeMismatch = ("QueryBuilderByAttributeMismatch", 0x8004110F, InvalidArgument, "QUERY_BUILDER_BY_ATTRIBUTE_MISMATCH");
    QueryBuilderByAttributeNonEmpty = ("QueryBuilderByAttributeNonEmpty", 0x80041110, InvalidArgument, "QUERY_BUILDER_BY_ATTRIBUTE_NON_EMPTY");
    QueryBuilderValueGreaterThanZero = ("QueryBuilderValue_GreaterThanZero", 0x8004110C, InvalidArgument, "QUERY_BUILDER_VALUE_GREATER_THAN_ZERO");
    QueryBuilderAliasDoesNotExist = ("QueryBuilderAlias_Does_Not_Exist", 0x8004110A, InvalidArgument, "QUERY_BUILDER_ALIAS_DOES_NOT_EXIST");
    QueryBuilderInvalidPagingCookie = ("QueryBuilderInvalidPagingCookie", 0x8004112A, InvalidArgument, "QUERY_BUILDER_INVALID_PAGING_COOKIE");
    QueryBuilderPagingOrderBy = ("QueryBuilderPagingOrderBy", 0x80041129, InvalidArgument, "QUERY_BUILDER_PAGING_ORDER_BY");
    TooManyConditionsInQuery = ("TooManyConditionsInQuery", 0x8004430C, InvalidArgument, "TOO_MANY_CONDITIONS_IN_QUERY");
    InvalidPrivilegeDepth = ("InvalidPrivilegeDepth", 0x8004140B, InvalidArgument, "INVALID_PRIVILEGE_DEPTH");
    InvalidPrincipal = ("unManagedinvalidprincipal", 0x8004049E, InvalidArgument, "INVALID_PRINCIPAL");
    InvalidPrincipalType = ("InvalidPrincipalType", 0x80048346, InvalidArgument, "INVALID_PRINCIPAL_TYPE");
    InvalidAccessRights = ("InvalidAccessRights", 0x8004020D, InvalidArgument, "INVALID_ACCESS_RIGHTS");
    ConcurrencyVersionNotProvided = ("ConcurrencyVersionNotProvided", 0x80060883, InvalidArgument, "CONCURRENCY_VERSION_NOT_PROVIDED");
    OverRetrievalUpperLimitWithoutPagingCookie = ("OverRetrievalUpperLimitWithoutPagingCookie", 0x8004430A, OutOfRange, "OVER_RETRIEVAL_UPPER_LIMIT_WITHOUT_PAGING_COOKIE");
    RequestLengthTooLarge = ("RequestLengthTooLarge", 0x8004418A, OutOfRange, "REQUEST_LENGTH_TOO_LARGE");
    LimitExceeded = ("InvalidOperation", 0x8004023B, FailedPrecondition, "LIMIT_EXCEEDED");
    DuplicateRecord = ("DuplicateRecord", 0x80040237, AlreadyExists, "DUPLICATE_RECORD");
    ConcurrencyVersionMismatch = ("ConcurrencyVersionMismatch", 0x80060882, Aborted, "CONCURRENCY_VERSION_MISMATCH");
    WriteConflict = ("ConcurrentOperationFailure", 0x80071154, Aborted, "WRITE_CONFLICT");
    OptimisticConcurrencyNotEnabled = ("OptimisticConcurrencyNotEnabled", 0x8006088D, FailedPrecondition, "OPTIMISTIC_CONCURRENCY_NOT_ENABLED");
    CannotDeleteDueToAssociation = ("CannotDeleteDueToAssociation", 0x80040227, FailedPrecondition, "CANNOT_DELETE_DUE_TO_ASSOCIATION");
    InvalidStateCodeStatusCode = ("InvalidStateCodeStatusCode", 0x80048408, FailedPrecondition, "INVALID_STATE_CODE_STATUS_CODE");
    AccountLoopBeingCreated = ("AccountLoopBeingCreated", 0x80040507, FailedPrecondition, "ACCOUNT_LOOP_BEING_CREATED");
    ContactLoopBeingCreated = ("ContactLoopBeingCreated", 0x8004050A, FailedPrecondition, "CONTACT_LOOP_BEING_CREATED");
    BusinessManagementLoopBeingCreated = ("BusinessManagementLoopBeingCreated", 0x80041D21, FailedPrecondition, "BUSINESS_MANAGEMENT_LOOP_BEING_CREATED");
    EntityLoopBeingCreated = ("EntityLoopBeingCreated", 0x80040387, FailedPrecondition, "ENTITY_LOOP_BEING_CREATED");
    MultipleOrganizationsNotAllowed = ("MultipleOrganizationsNotAllowed", 0x80041D35, FailedPrecondition, "MULTIPLE_ORGANIZATIONS_NOT_ALLOWED");
    ParentBusinessDoesNotExist = ("ParentBusinessDoesNotExist", 0x80041D23, FailedPrecondition, "PARENT_BUSINESS_DOES_NOT_EXIST");
    RootBusinessUnitCannotBeDisabled = ("RootBusinessUnitCannotBeDisabled", 0x80041D63, FailedPrecondition, "ROOT_BUSINESS_UNIT_CANNOT_BE_DISABLED");
    BusinessUnitCannotBeDisabled = ("BusinessUnitCannotBeDisabled", 0x80041D59, FailedPrecondition, "BUSINESS_UNIT_CANNOT_BE_DISABLED");
    BusinessUnitIsNotDisabledAndCannotBeDeleted = ("BusinessUnitIsNotDisabledAndCannotBeDeleted", 0x80041D60, FailedPrecondition, "BUSINESS_UNIT_IS_NOT_DISABLED_AND_CANNOT_BE_DELETED");
    BusinessUnitHasChildAndCannotBeDeleted = ("BusinessUnitHasChildAndCannotBeDeleted", 0x80041D61, FailedPrecondition, "BUSINESS_UNIT_HAS_CHILD_AND_CANNOT_BE_DELETED");
    BusinessUnitDefaultTeamOwnsRecords = ("BusinessUnitDefaultTeamOwnsRecords", 0x80041D62, FailedPrecondition, "BUSINESS_UNIT_DEFAULT_TEAM_OWNS_RECORDS");
    CannotAssignToDisabledBusiness = ("CannotAssignToDisabledBusiness", 0x8004032D, FailedPrecondition, "CANNOT_ASSIGN_TO_DISABLED_BUSINESS");
    CannotAddMembersToDefaultTeam = ("CannotAddMembersToDefaultTeam", 0x8004830B, FailedPrecondition, "CANNOT_ADD_MEMBERS_TO_DEFAULT_TEAM");
    CannotRemoveMembersFromDefaultTeam = ("CannotRemoveMembersFromDefaultTeam", 0x8004830C, FailedPrecondition, "CANNOT_REMOVE_MEMBERS_FROM_DEFAULT_TEAM");
    CannotUpdateNameDefaultTeam = ("CannotUpdateNameDefaultTeam", 0x8004830A, FailedPrecondition, "CANNOT_UPDATE_NAME_DEFAULT_TEAM");
    CannotDeleteDefaultTeam = ("CannotDeleteDefaultTeam", 0x80048307, FailedPrecondition, "CANNOT_DELETE_DEFAULT_TEAM");
    CannotDeleteTeamOwningRecords = ("CannotDeleteTeamOwningRecords", 0x8004830E, FailedPrecondition, "CANNOT_DELETE_TEAM_OWNING_RECORDS");
    CannotChangeTeamTypeDueToOwnership = ("CannotChangeTeamTypeDueToOwnership", 0x80048337, FailedPrecondition, "CANNOT_CHANGE_TEAM_TYPE_DUE_TO_OWNERSHIP");
    CannotChangeTeamTypeDueToRoleOrProfile = ("CannotChangeTeamTypeDueToRoleOrProfile", 0x80048336, FailedPrecondition, "CANNOT_CHANGE_TEAM_TYPE_DUE_TO_ROLE_OR_PROFILE");
    CannotAssignToAccessTeam = ("CannotAssignToAccessTeam", 0x80048340, FailedPrecondition, "CANNOT_ASSIGN_TO_ACCESS_TEAM");
    CannotAssignRolesOrProfilesToAccessTeam = ("CannotAssignRolesOrProfilesToAccessTeam", 0x80048331, FailedPrecondition, "CANNOT_ASSIGN_ROLES_OR_PROFILES_TO_ACCESS_TEAM");
    UserInWrongBusiness = ("UserInWrongBusiness", 0x80041409, FailedPrecondition, "USER_IN_WRONG_BUSINESS");
    TeamInWrongBusiness = ("TeamInWrongBusiness", 0x8004140D, FailedPrecondition, "TEAM_IN_WRONG_BUSINESS");
    InheritedRoleNotDeletable = ("unManagedidsrolesdeletenonparentrole", 0x8004140C, FailedPrecondition, "INHERITED_ROLE_NOT_DELETABLE");
    InheritedRoleNotEditable = ("unManagedidsrolesinvalidroledata", 0x80041400, FailedPrecondition, "INHERITED_ROLE_NOT_EDITABLE");
    CannotDisableSysAdmin = ("CannotDisableSysAdmin", 0x80041D2F, FailedPrecondition, "CANNOT_DISABLE_SYS_ADMIN");
    CannotRemoveFromSysAdmin = ("CannotRemoveFromSysAdmin", 0x80041D30, FailedPrecondition, "CANNOT_REMOVE_FROM_SYS_ADMIN");
    CannotMakeReadOnlyUser = ("CannotMakeReadOnlyUser", 0x80041D38, FailedPrecondition, "CANNOT_MAKE_READ_ONLY_USER");
    CannotMakeSelfReadOnlyUser = ("CannotMakeSelfReadOnlyUser", 0x80041D39, FailedPrecondition, "CANNOT_MAKE_SELF_READ_ONLY_USER");
    CannotModifySysAdmin = ("CannotModifySysAdmin", 0x80041D31, FailedPrecondition, "CANNOT_MODIFY_SYS_ADMIN");
    CannotDeleteSysAdmin = ("CannotDeleteSysAdmin", 0x80041D2E, FailedPrecondition, "CANNOT_DELETE_SYS_ADMIN");
    CannotModifySpecialUser = ("CannotModifySpecialUser", 0x80041D33, FailedPrecondition, "CANNOT_MODIFY_SPECIAL_USER");
    TargetPrincipalLacksReadPrivilege = ("TargetPrincipalLacksReadPrivilege", 0x80040299, FailedPrecondition, "TARGET_PRINCIPAL_LACKS_READ_PRIVILEGE");
    CannotShareSystemManagedTeam = ("CannotShareSystemManagedTeam", 0x80048339, FailedPrecondition, "CANNOT_SHARE_SYSTEM_MANAGED_TEAM");
    OnlyOwnerCanRevoke = ("OnlyOwnerCanRevoke", 0x80040223, FailedPrecondition, "ONLY_OWNER_CAN_REVOKE");
    CannotShareWithOwner = ("CannotShareWithOwner", 0x80040214, FailedPrecondition, "CANNOT_SHARE_WITH_OWNER");
    InvalidOwnershipTypeMask = ("InvalidOwnershipTypeMask", 0x8004700D, FailedPrecondition, "INVALID_OWNERSHIP_TYPE_MASK");
    PrivilegeDenied = ("PrivilegeDenied", 0x80040220, PermissionDenied, "PRIVILEGE_DENIED");
    AccessDenied = ("unManagedIdsAccessDenied", 0x80048306, PermissionDenied, "ACCESS_DENIED");
    UserNotMemberOfOrg = ("UserNotMemberOfOrg", 0x80072560, PermissionDenied, "USER_NOT_MEMBER_OF_ORG");
    UserNotAssignedRoles = ("UserNotAssignedRoles", 0x80042F09, PermissionDenied, "USER_NOT_ASSIGNED_ROLES");
    UserDisabled = ("unManagedidsusernotenabled", 0x80040225, PermissionDenied, "USER_DISABLED");
    RequestIsNotAuthenticated = ("RequestIsNotAuthenticated", 0x80044302, Unauthenticated, "REQUEST_IS_NOT_AUTHENTICATED");
    ExpiredAuthTicket = ("ExpiredAuthTicket", 0x8004A101, Unauthenticated, "EXPIRED_AUTH_TICKET");
    NotImplemented = ("NotImplemented", 0x80040219, Unimplemented, "NOT_IMPLEMENTED");
    SdkEntityDoesNotSupportMessage = ("SdkEntityDoesNotSupportMessage", 0x80040800, Unimplemented, "SDK_ENTITY_DOES_NOT_SUPPORT_MESSAGE");
    DeadlinePassed = ("SqlTimeout", 0x80044151, DeadlineExceeded, "DEADLINE_PASSED");
    UnExpected = ("UnExpected", 0x80040216, Internal, "UN_EXPECTED");
}

/// One input that was wrong, by its path in the request (`target.attributes[name]`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FieldViolation {
    /// Path of the field.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// A refusal: code, message, and every dynamic part as a detail (`grpc.md` 10).
///
/// Boxed inside, because a `Result` that carries it is passed through every layer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Fault(Box<FaultBody>);

/// The parts of a [`Fault`].
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FaultBody {
    /// Which fault.
    pub code: FaultCode,
    /// For people: lower-case start, no final stop.
    pub message: String,
    /// The camelCase metadata of ErrorInfo (`table`, `privilege`, `principalRole`).
    pub details: BTreeMap<Cow<'static, str>, String>,
    /// Which inputs were wrong.
    pub violations: Vec<FieldViolation>,
    /// Index of the request that failed in a transaction (XT-1).
    pub faulted_request_index: Option<i32>,
    /// The cause for the server's log; never sent (FM-3).
    pub cause: Option<String>,
}

/// A result whose error is a [`Fault`].
pub type Result<T, E = Fault> = std::result::Result<T, E>;

impl Fault {
    /// A fault with a message for people.
    pub fn new(code: FaultCode, message: impl Into<String>) -> Self {
        Fault(Box::new(FaultBody {
            code,
            message: message.into(),
            details: BTreeMap::new(),
            violations: Vec::new(),
            faulted_request_index: None,
            cause: None,
        }))
    }

    /// `InvalidArgument` at a field.
    pub fn invalid_argument(field: impl Into<String>, description: impl Into<String>) -> Self {
        let description = description.into();
        Fault::new(FaultCode::InvalidArgument, description.clone()).violation(field, description)
    }

    /// `RequiredFieldMissing`: a message's required parameter was not given.
    pub fn missing_parameter(name: &str) -> Self {
        let description = format!("required parameter `{name}` is missing");
        Fault::new(FaultCode::RequiredFieldMissing, description.clone())
            .violation(name, description)
    }

    /// An internal error: the cause goes to the log, the client gets an activity id (FM-3).
    pub fn unexpected(cause: impl fmt::Display) -> Self {
        let mut fault = Fault::new(
            FaultCode::UnExpected,
            "an unexpected error occurred; see the server's log",
        );
        fault.0.cause = Some(cause.to_string());
        fault
    }

    /// The client's deadline passed before the work was done; nothing was kept (GO-4).
    pub fn deadline_passed() -> Self {
        Fault::new(
            FaultCode::DeadlinePassed,
            "the request's deadline passed; nothing was changed",
        )
    }

    /// Whether this is a lost race with another commit, after which the request is run again.
    pub fn is_conflict(&self) -> bool {
        self.0.code == FaultCode::WriteConflict
    }

    /// A bound of this server was met (`messages.md` 9.2, reason LIMIT_EXCEEDED).
    pub fn limit_exceeded(limit: &'static str, value: impl fmt::Display) -> Self {
        Fault::new(
            FaultCode::LimitExceeded,
            format!("the request exceeds {limit} = {value}"),
        )
        .limit(limit, value)
    }

    /// The same fault with one more detail.
    pub fn detail(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.details.insert(Cow::Borrowed(key), value.to_string());
        self
    }

    /// The same fault naming the bound that was met.
    pub fn limit(self, limit: &'static str, value: impl fmt::Display) -> Self {
        self.detail("limit", limit).detail("limitValue", value)
    }

    /// The same fault naming a record.
    pub fn record(self, table: &str, id: uuid::Uuid) -> Self {
        self.detail("table", table).detail("id", id)
    }

    /// The same fault with one more wrong input.
    pub fn violation(mut self, field: impl Into<String>, description: impl Into<String>) -> Self {
        self.0.violations.push(FieldViolation {
            field: field.into(),
            description: description.into(),
        });
        self
    }

    /// The same fault with the index of the request in a transaction (XT-1).
    pub fn at_request(mut self, index: usize) -> Self {
        self.0.faulted_request_index = i32::try_from(index).ok();
        self
    }

    /// Which fault.
    pub fn code(&self) -> FaultCode {
        self.0.code
    }

    /// Its parts.
    pub fn body(&self) -> &FaultBody {
        &self.0
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.name(), self.0.message)
    }
}

impl std::error::Error for Fault {}
