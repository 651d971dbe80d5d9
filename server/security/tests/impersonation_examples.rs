//! The three published examples of acting on behalf of another user (§13.1) and the impersonated
//! rows of §13.2, as far as they are decisions.

use orgservice_security::*;

use crate::fixture::{
    AD, AD_IMPERSONATED, ALLOW, Fixture, PD_IMPERSONATED, PD_IMPERSONATOR, ROOT, SALES, SVC, TABLES,
};
use crate::reference::Who;
use crate::worlds::{role_id, unit_id, user_id};

use Right::{Append, AppendTo, Assign, Create, Delete, Read, Share, Write};

const HELD_BY_BOTH: [Right; 5] = [Create, Read, Write, Append, AppendTo];
const LACKED_BY_A: [Right; 3] = [Delete, Assign, Share];

/// The row *effective* of an example: a depth for the five rights both hold, nothing for the
/// three that A lacks.
fn assert_effective(f: &Fixture, a: usize, b: usize, depth: PrivilegeDepth) {
    let (a, b) = (f.world.user(a), f.world.user(b));
    let tables = [TABLES[0].1, TABLES[1].1];
    let matrix = PrivilegeMatrix::effective(&Caller::on_behalf_of(&a, &b), tables);
    for (place, table) in tables.into_iter().enumerate() {
        let (code, row) = matrix.rows[place];
        assert_eq!(code, table.code);
        for (right, held) in Right::ALL.into_iter().zip(row) {
            let expected = HELD_BY_BOTH.contains(&right).then_some(depth);
            assert_eq!(held, expected, "{right} on table {code}");
        }
    }
}

#[test]
fn example_01_no_privilege_is_gained() {
    let mut f = Fixture::new();
    let a = f.user(SALES, "account[CRWPT:l] contact[CRWPT:l] Delegate");
    let b = f.user(SALES, "account[CRWDPTGS:l] contact[CRWDPTGS:l]");
    for rec in [f.rec(b), f.contact(b)] {
        for right in HELD_BY_BOTH {
            assert_eq!(f.on_behalf(a, b, right, rec), ALLOW, "{right}");
        }
        for right in LACKED_BY_A {
            assert_eq!(f.on_behalf(a, b, right, rec), PD_IMPERSONATOR, "{right}");
            assert_eq!(f.ask(b, right, rec), ALLOW, "{right} by B alone");
        }
    }
    assert_effective(&f, a, b, PrivilegeDepth::Local);
}

#[test]
fn example_02_the_level_is_elevated() {
    let mut f = Fixture::new();
    let a = f.user(SALES, "account[CRWPT:l] contact[CRWPT:l] Delegate");
    let b = f.user(SALES, "account[CRWDPTGS:o] contact[CRWDPTGS:o]");
    let owner = f.user(SVC, "");
    let rec = f.rec(owner);
    for right in HELD_BY_BOTH {
        assert_eq!(f.on_behalf(a, b, right, rec), ALLOW, "{right}");
        assert_eq!(f.ask(a, right, rec), AD, "{right} by A alone");
    }
    for right in LACKED_BY_A {
        assert_eq!(f.on_behalf(a, b, right, rec), PD_IMPERSONATOR, "{right}");
    }
    assert_effective(&f, a, b, PrivilegeDepth::Global);
}

#[test]
fn example_03_the_level_is_reduced() {
    let mut f = Fixture::new();
    let a = f.user(SALES, "account[CRWPT:o] contact[CRWPT:o] Delegate");
    let b = f.user(SALES, "account[CRWDPTGS:l] contact[CRWDPTGS:l]");
    let (near, far) = (f.user(SALES, ""), f.user(SVC, ""));
    let (near, far) = (f.rec(near), f.rec(far));
    for right in HELD_BY_BOTH {
        assert_eq!(f.ask(a, right, far), ALLOW, "{right} by A alone");
        assert_eq!(f.on_behalf(a, b, right, far), AD_IMPERSONATED, "{right}");
        assert_eq!(f.on_behalf(a, b, right, near), ALLOW, "{right}");
    }
    for right in LACKED_BY_A {
        assert_eq!(f.on_behalf(a, b, right, near), PD_IMPERSONATOR, "{right}");
    }
    assert_effective(&f, a, b, PrivilegeDepth::Local);
}

/// Examples 46 to 48: svc creates for ann, then each of them updates.
fn created_for_ann() -> (Fixture, usize, usize, usize) {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "Delegate account[CRW:u]");
    let ann = f.user(SALES, "account[CRW:u]");
    let rec = f.rec(ann);
    (f, svc, ann, rec)
}

#[test]
fn example_46_a_delegate_creates_for_the_impersonated_user() {
    let (f, svc, ann, prospective) = created_for_ann();
    assert_eq!(f.on_behalf(svc, ann, Create, prospective), ALLOW);
    assert!(f.may_own(Who::User(ann)));
}

#[test]
fn example_47_the_delegate_alone_does_not_reach_it() {
    let (f, svc, _, rec) = created_for_ann();
    assert_eq!(f.ask(svc, Write, rec), AD);
}

#[test]
fn example_48_the_impersonated_user_owns_it() {
    let (f, _, ann, rec) = created_for_ann();
    assert_eq!(f.ask(ann, Write, rec), ALLOW);
}

#[test]
fn example_49_without_the_delegate_privilege_nobody_impersonates() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "account[CRW:o]");
    let ann = f.user(SALES, "account[R:u]");
    let rec = f.rec(ann);
    let denial = f.denial(svc, ann, &[Read], rec).unwrap_err();
    assert_eq!(denial.side, PrincipalRole::Impersonator);
    assert_eq!(denial.principal, user_id(svc).0);
    let act = MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER;
    assert_eq!(denial.privilege, Privilege::Misc(act));
    assert_eq!((denial.table, denial.right), (None, None));
}

#[test]
fn example_50_a_team_does_not_make_a_delegate() {
    for is_inherited in [false, true] {
        let mut f = Fixture::new();
        let svc = f.user(ROOT, "account[R:o]");
        f.team(ROOT, "Delegate", is_inherited, &[svc]);
        let ann = f.user(SALES, "account[R:u]");
        let rec = f.rec(ann);
        assert_eq!(f.on_behalf(svc, ann, Read, rec), PD_IMPERSONATOR);
        let svc = f.world.user(svc);
        let act = MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER;
        assert!(svc.possesses(Privilege::Misc(act)) && !svc.holds_directly(act));
    }
}

#[test]
fn example_51_the_depth_is_that_of_the_impersonated_user() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "Delegate account[R:u]");
    let ann = f.user(SALES, "account[R:o]");
    let dee = f.user(SVC, "");
    let rec = f.rec(dee);
    assert_eq!(f.on_behalf(svc, ann, Read, rec), ALLOW);
}

#[test]
fn example_52_the_depth_of_the_impersonator_does_not_help() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "Delegate account[R:o]");
    let ann = f.user(SALES, "account[R:u]");
    let dee = f.user(SVC, "");
    let rec = f.rec(dee);
    assert_eq!(f.on_behalf(svc, ann, Read, rec), AD_IMPERSONATED);
}

#[test]
fn example_53_a_share_with_the_impersonator_does_not_help() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "Delegate account[R:u]");
    let ann = f.user(SALES, "account[R:u]");
    let ben = f.user(SALES, "");
    let rec = f.rec(ben);
    f.share(rec, Who::User(svc), AccessRights::READ);
    assert_eq!(f.on_behalf(svc, ann, Read, rec), AD_IMPERSONATED);
    assert_eq!(f.ask(svc, Read, rec), ALLOW);
}

#[test]
fn example_54_a_share_with_the_impersonated_user_does() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "Delegate account[R:u]");
    let ann = f.user(SALES, "account[R:u]");
    let ben = f.user(SALES, "");
    let rec = f.rec(ben);
    f.share(rec, Who::User(ann), AccessRights::READ);
    assert_eq!(f.on_behalf(svc, ann, Read, rec), ALLOW);
}

#[test]
fn example_55_a_query_needs_the_privilege_of_both() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "Delegate");
    let ann = f.user(SALES, "account[R:o]");
    f.rec(ann);
    let denial = f.rows(svc, ann, 0).unwrap_err();
    assert_eq!(denial.side, PrincipalRole::Impersonator);
    assert_eq!(denial.kind, DenialKind::PrivilegeDenied);
    assert_eq!(f.rows(ann, ann, 0), Ok(1));
}

#[test]
fn example_56_an_administrator_has_no_more_than_the_impersonated_user() {
    let mut f = Fixture::new();
    let adm = f.world.add_administrator();
    let ann = f.user(SALES, "contact[R:u]");
    let rec = f.rec(ann);
    assert_eq!(f.on_behalf(adm, ann, Read, rec), PD_IMPERSONATED);
}

#[test]
fn example_57_on_behalf_of_an_administrator_the_own_list_at_global() {
    let mut f = Fixture::new();
    let adm = f.world.add_administrator();
    let svc = f.user(ROOT, "Delegate account[R:u]");
    let dee = f.user(SVC, "");
    let rec = f.rec(dee);
    assert_eq!(f.on_behalf(svc, adm, Read, rec), ALLOW);
    assert_eq!(f.on_behalf(svc, adm, Delete, rec), PD_IMPERSONATOR);
}

#[test]
fn example_58_on_behalf_of_oneself_nothing_is_needed() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[CR:u]");
    let prospective = f.rec(ann);
    assert_eq!(f.on_behalf(ann, ann, Create, prospective), ALLOW);
}

#[test]
fn example_63_the_delegate_privilege_is_asked_before_the_other_user() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "account[R:o]");
    // Nobody else is named: there is nothing to probe.
    let denial = authorize_impersonation(&f.world.user(svc)).unwrap_err();
    assert_eq!(denial.kind, DenialKind::PrivilegeDenied);
}

#[test]
fn example_64_a_trusted_identity_with_a_user_is_intersected() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "account[R:u]");
    let ann = f.user(SALES, "account[RW:u]");
    let rec = f.rec(ann);
    assert_eq!(f.trusted(svc, ann, Read, rec), ALLOW);
    assert_eq!(f.trusted(svc, ann, Write, rec), PD_IMPERSONATOR);
}

#[test]
fn example_65_a_trusted_host_has_exactly_the_impersonated_rights() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[RW:u]");
    let ben = f.user(SALES, "");
    let (own, other) = (f.rec(ann), f.rec(ben));
    assert_eq!(f.host(ann, Write, own), ALLOW);
    assert_eq!(f.host(ann, Write, other), AD_IMPERSONATED);
    assert_eq!(f.host(ann, Delete, own), PD_IMPERSONATED);
    let ann = f.world.user(ann);
    assert!(Caller::trusted_host_for(&ann).authenticated().is_none());
}

#[test]
fn example_69_sharing_on_behalf_needs_the_share_privilege_of_both() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "Delegate account[CRWGS:u]");
    let ann = f.user(SALES, "account[CRW:l]");
    let rec = f.rec(ann);
    let denial = f.denial(svc, ann, requirements::SHARE, rec).unwrap_err();
    assert_eq!(
        (denial.side, denial.right),
        (PrincipalRole::Impersonated, Some(Share))
    );
}

#[test]
fn the_impersonator_is_named_if_both_lack_the_privilege() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "Delegate");
    let ann = f.user(SALES, "contact[R:u]");
    let rec = f.rec(ann);
    let denial = f.denial(svc, ann, &[Read], rec).unwrap_err();
    assert_eq!(denial.side, PrincipalRole::Impersonator);
    assert_eq!(denial.principal, user_id(svc).0);
}

/// Every road that leads to a record is named with the role, its holder and its anchor.
#[test]
fn an_explanation_names_every_ground() {
    let mut f = Fixture::new();
    let eve = f.user(SALES, "account[R:l]");
    let own_role = f.world.users[eve].roles[0];
    let team = f.team(SVC, "account[R:d]", true, &[eve]);
    let team_role = f.world.teams[team].roles[0];
    let rec = f.rec(eve);
    f.share(
        rec,
        Who::User(eve),
        AccessRights::READ | AccessRights::WRITE,
    );
    f.share(rec, Who::Team(team), AccessRights::WRITE);

    let eve_principal = f.world.user(eve);
    let record = &f.world.records[rec];
    let shares = f.world.shares(record);
    let facts = f.world.facts(user_id(9).0, record, &shares);
    let explained = Caller::direct(&eve_principal).explain(&f.world.tree(), Read, &facts);
    let by_role = |kind, role, unit| Ground {
        kind,
        role: Some(role_id(role)),
        holder: Some(Owner::User(user_id(eve))),
        business_unit: Some(unit_id(unit)),
        share_principal: None,
    };
    assert_eq!(
        explained,
        Explanation {
            granted: true,
            lacking: None,
            depth_held: Some(PrivilegeDepth::Deep),
            depth_needed: None,
            grounds: vec![
                by_role(GroundKind::Ownership, own_role, SALES),
                by_role(GroundKind::BusinessUnit, own_role, SALES),
                // The Basic grant from member inheritance; the team's own one reaches SVC only.
                by_role(GroundKind::Ownership, team_role, SALES),
                Ground {
                    kind: GroundKind::Share,
                    role: None,
                    holder: None,
                    business_unit: None,
                    share_principal: Some(SharePrincipal::User(user_id(eve))),
                },
            ],
        }
    );
}

/// IM-23: what the platform does as SYSTEM reaches everything, and as impersonated user SYSTEM
/// gives the delegate's list at Global.
#[test]
fn system_possesses_everything() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "Delegate account[R:u]");
    let dee = f.user(SVC, "");
    f.rec(dee);
    let (svc, system) = (f.world.user(svc), Principal::system(user_id(99)));
    let facts = f.world.facts(user_id(9).0, &f.world.records[0], &[]);
    let tree = f.world.tree();
    for right in Right::ALL {
        assert_eq!(Caller::direct(&system).decide(&tree, right, &facts), Ok(()));
    }
    assert!(
        Caller::direct(&system)
            .record_scope(&tree, facts.table, Read)
            .unwrap()
            .all
    );
    assert!(!system.has_no_roles());
    assert_eq!(access_rights(&system, &tree, &facts), AccessRights::all());
    let explained = Caller::direct(&system).explain(&tree, Read, &facts);
    assert_eq!(explained.grounds[0].kind, GroundKind::Global);
    let pair = Caller::on_behalf_of(&svc, &system);
    assert_eq!(pair.decide(&tree, Read, &facts), Ok(()));
    assert_eq!(
        pair.decide(&tree, Write, &facts).unwrap_err().side,
        PrincipalRole::Impersonator
    );
    let matrix = PrivilegeMatrix::effective(&pair, [facts.table]);
    assert_eq!(matrix.other, [MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER]);
}
