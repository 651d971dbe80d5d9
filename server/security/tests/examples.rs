//! The worked examples of §13 in which somebody acts for himself, as far as they are decisions.

use orgservice_security::*;

use crate::fixture::{AD, ALLOW, Fixture, NORTH, PD, SALES, SOUTH, SVC, SVC1, TABLES};
use crate::reference::Who;
use crate::worlds::user_id;

use Right::{Append, AppendTo, Assign, Delete, Read, Share, Write};

fn missing(refusal: Result<(), Denial>) -> Option<Privilege> {
    refusal
        .err()
        .filter(|denial| denial.kind == DenialKind::PrivilegeDenied)
        .map(|d| d.privilege)
}

fn account(right: Right) -> Privilege {
    Privilege::Table(TABLES[0].1.code, right)
}

#[test]
fn example_04_basic_reads_the_own_record() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:u]");
    let rec = f.rec(ann);
    assert_eq!(f.ask(ann, Read, rec), ALLOW);
}

#[test]
fn example_05_basic_does_not_read_a_colleagues_record() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:u]");
    let ben = f.user(SALES, "");
    let rec = f.rec(ben);
    assert_eq!(f.ask(ann, Read, rec), AD);
    let denial = f.ask_all(ann, &[Read], rec).unwrap_err();
    assert_eq!(denial.depth_held, Some(PrivilegeDepth::Basic));
    assert_eq!(denial.depth_needed, Some(PrivilegeDepth::Local));
}

#[test]
fn example_06_local_reads_the_own_unit() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:l]");
    let ben = f.user(SALES, "");
    let rec = f.rec(ben);
    assert_eq!(f.ask(ann, Read, rec), ALLOW);
}

#[test]
fn example_07_local_is_not_deep() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:l]");
    let cid = f.user(NORTH, "");
    let rec = f.rec(cid);
    assert_eq!(f.ask(ann, Read, rec), AD);
    let denial = f.ask_all(ann, &[Read], rec).unwrap_err();
    assert_eq!(denial.depth_needed, Some(PrivilegeDepth::Deep));
}

#[test]
fn example_08_deep_reads_below() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:d]");
    let cid = f.user(NORTH, "");
    let rec = f.rec(cid);
    assert_eq!(f.ask(ann, Read, rec), ALLOW);
}

#[test]
fn example_09_deep_does_not_reach_a_sibling() {
    let mut f = Fixture::new();
    let cid = f.user(NORTH, "account[R:d]");
    let dan = f.user(SOUTH, "");
    let rec = f.rec(dan);
    assert_eq!(f.ask(cid, Read, rec), AD);
    let denial = f.ask_all(cid, &[Read], rec).unwrap_err();
    assert_eq!(denial.depth_needed, Some(PrivilegeDepth::Global));
}

#[test]
fn example_10_deep_does_not_reach_the_parent() {
    let mut f = Fixture::new();
    let cid = f.user(NORTH, "account[R:d]");
    let ann = f.user(SALES, "");
    let rec = f.rec(ann);
    assert_eq!(f.ask(cid, Read, rec), AD);
}

#[test]
fn example_11_write_at_global_is_not_read() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[W:o]");
    let rec = f.rec(ann);
    assert_eq!(f.ask(ann, Read, rec), PD);
}

#[test]
fn example_12_the_privilege_is_asked_before_the_record_is_looked_up() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:l]");
    let ann = f.world.user(ann);
    assert_eq!(Caller::direct(&ann).require(account(Read)), Ok(()));
}

#[test]
fn example_13_without_the_privilege_no_id_is_looked_up() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "contact[R:o]");
    let principal = f.world.user(ann);
    let denial = Caller::direct(&principal)
        .require(account(Read))
        .unwrap_err();
    assert_eq!(denial.kind, DenialKind::PrivilegeDenied);
    assert_eq!(denial.principal, user_id(ann).0);
    assert_eq!(
        (denial.table, denial.right),
        (Some(TABLES[0].1.code), Some(Read))
    );
    assert_eq!((denial.record, denial.depth_needed), (None, None));
}

#[test]
fn example_14_roles_add_up_per_privilege() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:u]");
    f.give(ann, "account[R:l, W:u]");
    let ben = f.user(SALES, "");
    let rec = f.rec(ben);
    assert_eq!(f.ask(ann, Read, rec), ALLOW);
    assert_eq!(f.ask(ann, Write, rec), AD);
}

#[test]
fn example_15_rows_out_of_reach_are_left_out() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:l]");
    let ben = f.user(SALES, "");
    let cid = f.user(NORTH, "");
    for owner in [ben, ben, ann, cid, cid] {
        f.rec(owner);
    }
    assert_eq!(f.rows(ann, ann, 0), Ok(3));
}

#[test]
fn example_16_basic_creates_for_oneself() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[CR:u]");
    assert_eq!(f.create_for(ann, Who::User(ann)), ALLOW);
    assert!(f.may_own(Who::User(ann)));
}

#[test]
fn example_17_an_owner_must_be_able_to_read() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[C:u]");
    assert_eq!(f.create_for(ann, Who::User(ann)), ALLOW);
    assert!(!f.may_own(Who::User(ann)));
}

#[test]
fn example_18_basic_does_not_create_for_a_colleague() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[CR:u]");
    let ben = f.user(SALES, "account[R:u]");
    assert_eq!(f.create_for(ann, Who::User(ben)), AD);
}

#[test]
fn example_19_local_creates_for_a_colleague() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[CR:l]");
    let ben = f.user(SALES, "account[R:u]");
    assert_eq!(f.create_for(ann, Who::User(ben)), ALLOW);
    assert!(f.may_own(Who::User(ben)));
}

#[test]
fn example_20_local_does_not_create_below() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[CR:l]");
    let cid = f.user(NORTH, "account[R:u]");
    assert_eq!(f.create_for(ann, Who::User(cid)), AD);
}

#[test]
fn example_21_a_team_only_role_creates_for_the_team() {
    let mut f = Fixture::new();
    let eve = f.user(SALES, "contact[R:u]");
    let team = f.team(SALES, "account[CR:u]", false, &[eve]);
    assert_eq!(f.create_for(eve, Who::User(eve)), AD);
    assert_eq!(f.create_for(eve, Who::Team(team)), ALLOW);
    assert!(f.may_own(Who::Team(team)));
    let (own, of_team) = (f.rec(eve), f.rec_of_team(team));
    assert_eq!(
        (f.ask(eve, Read, own), f.ask(eve, Read, of_team)),
        (AD, ALLOW)
    );
}

#[test]
fn example_22_member_inheritance_creates_for_the_member() {
    let mut f = Fixture::new();
    let eve = f.user(SALES, "contact[R:u]");
    f.team(SALES, "account[CR:u]", true, &[eve]);
    assert_eq!(f.create_for(eve, Who::User(eve)), ALLOW);
    assert!(f.may_own(Who::User(eve)));
}

#[test]
fn example_23_local_of_a_team_is_measured_at_the_team() {
    let mut f = Fixture::new();
    let eve = f.user(SALES, "");
    f.team(SVC, "account[R:l]", false, &[eve]);
    let (fay, ben) = (f.user(SVC, ""), f.user(SALES, ""));
    let (of_fay, of_ben) = (f.rec(fay), f.rec(ben));
    assert_eq!(f.ask(eve, Read, of_fay), ALLOW);
    assert_eq!(f.ask(eve, Read, of_ben), AD);
}

#[test]
fn example_24_deep_of_a_team_is_measured_at_the_team() {
    let mut f = Fixture::new();
    let eve = f.user(SVC1, "");
    f.team(SALES, "account[R:d]", false, &[eve]);
    let cid = f.user(NORTH, "");
    let rec = f.rec(cid);
    assert_eq!(f.ask(eve, Read, rec), ALLOW);
}

#[test]
fn example_25_members_of_an_access_team_use_its_shares() {
    let mut f = Fixture::new();
    let eve = f.user(SALES, "account[R:u]");
    let ben = f.user(SALES, "");
    let team = f.access_team(SALES, &[eve]);
    let rec = f.rec(ben);
    f.share(rec, Who::Team(team), AccessRights::READ);
    assert_eq!(f.ask(eve, Read, rec), ALLOW);
}

#[test]
fn example_26_a_share_without_the_privilege_has_no_effect() {
    let mut f = Fixture::new();
    let eve = f.user(SALES, "contact[R:u]");
    let ben = f.user(SALES, "");
    let team = f.access_team(SALES, &[eve]);
    let rec = f.rec(ben);
    f.share(rec, Who::Team(team), AccessRights::READ);
    assert_eq!(f.ask(eve, Read, rec), PD);
}

#[test]
fn example_27_a_share_gives_its_rights_only() {
    let mut f = Fixture::new();
    let eve = f.user(SALES, "account[RW:u]");
    let ben = f.user(SALES, "");
    let rec = f.rec(ben);
    f.share(rec, Who::User(eve), AccessRights::READ);
    assert_eq!(f.ask(eve, Write, rec), AD);
    assert_eq!(f.ask(eve, Read, rec), ALLOW);
}

#[test]
fn example_28_shares_of_several_routes_add_up() {
    let mut f = Fixture::new();
    let eve = f.user(SALES, "account[RW:u]");
    let ben = f.user(SALES, "");
    let team = f.team(SALES, "", true, &[eve]);
    let rec = f.rec(ben);
    f.share(rec, Who::User(eve), AccessRights::READ);
    f.share(rec, Who::Team(team), AccessRights::WRITE);
    assert_eq!(f.ask(eve, Write, rec), ALLOW);
}

/// What GrantAccess of a mask asks of the record (§5).
fn giving(mask: AccessRights) -> Vec<Right> {
    requirements::SHARE
        .iter()
        .copied()
        .chain(requirements::rights_given(mask))
        .collect()
}

#[test]
fn example_29_the_owner_shares_what_he_has() {
    let mut f = Fixture::new();
    let ben = f.user(SALES, "account[RWS:u]");
    let rec = f.rec(ben);
    let mask = AccessRights::READ | AccessRights::WRITE;
    assert_eq!(mask.bits(), 3);
    assert_eq!(f.ask_all(ben, &giving(mask), rec), Ok(()));
}

#[test]
fn example_30_nobody_gives_a_right_that_he_lacks() {
    let mut f = Fixture::new();
    let ben = f.user(SALES, "account[RS:u]");
    let rec = f.rec(ben);
    let refused = f.ask_all(ben, &giving(AccessRights::READ | AccessRights::WRITE), rec);
    assert_eq!(missing(refused), Some(account(Write)));
}

#[test]
fn example_31_sharing_needs_the_share_privilege() {
    let mut f = Fixture::new();
    let ben = f.user(SALES, "account[R:u]");
    let rec = f.rec(ben);
    let refused = f.ask_all(ben, &giving(AccessRights::READ), rec);
    assert_eq!(missing(refused), Some(account(Share)));
}

#[test]
fn example_34_a_record_given_away_is_out_of_reach() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[RWG:u]");
    let ben = f.user(SALES, "account[R:u]");
    let rec = f.rec(ann);
    assert_eq!(f.ask_all(ann, requirements::ASSIGN, rec), Ok(()));
    assert!(f.may_own(Who::User(ben)));
    f.world.records[rec].owner = Some(Who::User(ben));
    assert_eq!(f.ask(ann, Read, rec), AD);
}

#[test]
fn example_35_unless_it_is_shared_with_the_previous_owner() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[RWG:u]");
    let ben = f.user(SALES, "account[R:u]");
    let rec = f.rec(ben);
    f.share(rec, Who::User(ann), AccessRights::ALL_RECORD_RIGHTS);
    assert_eq!(f.ask(ann, Read, rec), ALLOW);
}

#[test]
fn example_36_the_new_owner_must_be_able_to_read() {
    let mut f = Fixture::new();
    let ben = f.user(SALES, "contact[R:u]");
    assert!(!f.may_own(Who::User(ben)));
}

#[test]
fn example_37_assigning_needs_write_too() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[RG:u]");
    let rec = f.rec(ann);
    assert_eq!(
        missing(f.ask_all(ann, requirements::ASSIGN, rec)),
        Some(account(Write))
    );
    assert_eq!(f.ask(ann, Assign, rec), ALLOW);
}

/// Examples 39 to 41: a contact of ann's, given an account of ben's as parent.
fn append_to_account_of_ben(account_role: &str) -> (Result<(), Denial>, Result<(), Denial>) {
    let mut f = Fixture::new();
    let ann = f.user(SALES, &format!("contact[CRP:u] {account_role}"));
    let ben = f.user(SALES, "");
    let (contact, parent) = (f.contact(ann), f.rec(ben));
    assert_eq!(f.ask(ann, Append, contact), ALLOW);
    (
        f.ask_all(ann, requirements::APPEND, contact),
        f.ask_all(ann, requirements::APPEND_TO, parent),
    )
}

#[test]
fn example_39_a_lookup_needs_append_to() {
    let (append, append_to) = append_to_account_of_ben("account[R:l]");
    assert_eq!(append, Ok(()));
    assert_eq!(missing(append_to), Some(account(AppendTo)));
}

#[test]
fn example_40_append_to_must_reach_the_record() {
    let (_, append_to) = append_to_account_of_ben("account[R:l, T:u]");
    let denial = append_to.unwrap_err();
    assert_eq!(
        (denial.kind, denial.right),
        (DenialKind::AccessDenied, Some(AppendTo))
    );
}

#[test]
fn example_41_write_on_the_parent_is_not_needed() {
    assert_eq!(append_to_account_of_ben("account[RT:l]"), (Ok(()), Ok(())));
}

#[test]
fn example_66_a_moved_unit_is_below_its_new_parent() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:d]");
    let cid = f.user(NORTH, "");
    let rec = f.rec(cid);
    assert_eq!(f.ask(ann, Read, rec), ALLOW);
    f.re_parent(NORTH, SVC);
    assert_eq!(f.ask(ann, Read, rec), AD);
}

#[test]
fn example_67_a_user_without_roles_is_told_so() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:l]");
    assert!(!f.world.user(ann).has_no_roles());
    f.world.users[ann].roles.clear();
    f.world.users[ann].unit = SVC;
    assert!(f.world.user(ann).has_no_roles());
}

#[test]
fn example_68_possession_is_access_on_organization_owned_tables() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "x_rate[R:o]");
    let (rate, _) = (f.rate(), f.rate());
    assert_eq!(f.ask(ann, Read, rate), ALLOW);
    assert_eq!(f.rows(ann, ann, 2), Ok(2));
    assert_eq!(f.ask(ann, Write, rate), PD);
    assert_eq!(f.ask(ann, Delete, rate), PD);
}
