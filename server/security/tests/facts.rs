//! Numbers, names and tables of the specification: PR-2, PR-3, PR-5, U-3, U-8, §5 and the tree of
//! business units.

use fastrand::Rng;
use orgservice_security::*;
use uuid::Uuid;

use crate::fixture::{Fixture, ROOT, SALES, SVC, TABLES};
use crate::reference::{Unit, Who, World};
use crate::worlds::{self, unit_id};

/// PR-2, line by line: the letters of the depths allowed for each right.
#[test]
fn privileges_exist_at_the_depths_of_the_table() {
    use TableOwnership::{BusinessOwned, None, OrganizationOwned, UserOwned};
    //                                    C      R      W      D      P      T      G      S
    let user = ["uldo"; 8];
    let organization = ["o", "o", "o", "o", "o", "o", "", ""];
    let business = ["ldo", "ldo", "ldo", "ldo", "ldo", "ldo", "", ""];
    let role = ["ldo", "ldo", "ldo", "ldo", "ldo", "ldo", "ldo", ""];
    let unit = ["do", "ldo", "ldo", "do", "ldo", "ldo", "", ""];
    let one_row = ["", "o", "o", "", "", "", "", ""];
    let plain = ObjectTypeCode(10_000);
    let lines = [
        (TableFacts::new(plain, UserOwned), user),
        (TableFacts::new(plain, OrganizationOwned), organization),
        (TableFacts::new(plain, BusinessOwned), business),
        (
            TableFacts::new(ObjectTypeCode::SYSTEM_USER, BusinessOwned),
            business,
        ),
        (
            TableFacts::new(ObjectTypeCode::TEAM, BusinessOwned),
            business,
        ),
        (TableFacts::new(ObjectTypeCode::ROLE, BusinessOwned), role),
        (
            TableFacts::new(ObjectTypeCode::BUSINESS_UNIT, BusinessOwned),
            unit,
        ),
        (TableFacts::new(plain, None), [""; 8]),
        (TableFacts::new(ObjectTypeCode::ORGANIZATION, None), one_row),
        (
            TableFacts::new(ObjectTypeCode::ORGANIZATION, OrganizationOwned),
            one_row,
        ),
    ];
    for (table, line) in lines {
        for (right, letters) in Right::ALL.into_iter().zip(line) {
            for (depth, letter) in PrivilegeDepth::ALL.into_iter().zip("uldo".chars()) {
                let allowed = letters.contains(letter);
                assert_eq!(
                    table.allows(right, depth),
                    allowed,
                    "{right} at {depth}, {table:?}"
                );
            }
            let exists = table.privileges().any(|existing| existing == right);
            assert_eq!(exists, !letters.is_empty(), "{right} of {table:?}");
        }
    }
    assert!(UserOwned.allows(Right::Share, PrivilegeDepth::Basic));
    assert!(!BusinessOwned.allows(Right::Read, PrivilegeDepth::Basic));
    assert!(!OrganizationOwned.allows(Right::Share, PrivilegeDepth::Global));
}

#[test]
fn depths_have_two_encodings() {
    let table = [
        ("Basic", 0, 1),
        ("Local", 1, 2),
        ("Deep", 2, 4),
        ("Global", 3, 8),
    ];
    for (depth, (name, number, mask)) in PrivilegeDepth::ALL.into_iter().zip(table) {
        assert_eq!(
            (depth.name(), depth.number(), depth.mask()),
            (name, number, mask)
        );
        assert_eq!(PrivilegeDepth::from_number(number), Some(depth));
        assert_eq!(PrivilegeDepth::from_mask(mask), Some(depth));
    }
    assert!(PrivilegeDepth::ALL.is_sorted());
    for number in [-1, 4, i32::MAX] {
        assert_eq!(PrivilegeDepth::from_number(number), None);
    }
    for mask in [-1, 0, 3, 5, 16, 128] {
        assert_eq!(PrivilegeDepth::from_mask(mask), None);
    }
}

#[test]
fn rights_have_the_numbers_of_the_sdk() {
    let table = [
        ('C', "Create", 32),
        ('R', "Read", 1),
        ('W', "Write", 2),
        ('D', "Delete", 65_536),
        ('P', "Append", 4),
        ('T', "AppendTo", 16),
        ('G', "Assign", 524_288),
        ('S', "Share", 262_144),
    ];
    for (right, line) in Right::ALL.into_iter().zip(table) {
        assert_eq!((right.letter(), right.name(), right.flag().bits()), line);
    }
    assert_eq!(AccessRights::ALL_RECORD_RIGHTS.bits(), 851_991);
    assert_eq!(AccessRights::ALL_RECORD_RIGHTS.bits(), 0xD0017);
    assert!(Right::of(AccessRights::all()).eq(Right::ALL));
    let given = requirements::rights_given(AccessRights::CREATE | AccessRights::WRITE);
    assert!(
        given.eq([Right::Write]),
        "Create is dropped from what is given"
    );
}

#[test]
fn access_modes_have_the_numbers_of_the_column() {
    let modes = [
        AccessMode::ReadWrite,
        AccessMode::Administrative,
        AccessMode::Read,
        AccessMode::SupportUser,
        AccessMode::NonInteractive,
        AccessMode::DelegatedAdmin,
    ];
    for (number, mode) in (0..).zip(modes) {
        assert_eq!(mode.number(), number);
        assert_eq!(AccessMode::from_number(number), Some(mode));
    }
    assert_eq!(AccessMode::from_number(6), None);
    assert_eq!(AccessMode::from_number(-1), None);
}

/// U-3: per mode whether an ordinary Read, an ordinary Write, an administrative Read, an
/// administrative Write and a miscellaneous privilege count.
#[test]
fn the_access_mode_masks_privileges() {
    let table = [
        (AccessMode::ReadWrite, [true, true, true, true, true]),
        (AccessMode::Administrative, [false, false, true, true, true]),
        (AccessMode::Read, [true, false, true, false, true]),
        (AccessMode::SupportUser, [true, true, true, true, true]),
        (AccessMode::NonInteractive, [true, true, true, true, true]),
        (AccessMode::DelegatedAdmin, [true, true, true, true, true]),
    ];
    let mut f = Fixture::new();
    let user = f.user(SALES, "account[RW:l] x_rate[RW:o] Delegate");
    f.world.tables[2].administrative = true;
    let [ordinary, administrative] = [0, 2].map(|table| f.world.tables[table].code);
    for through_team in [false, true] {
        if through_team {
            let roles = std::mem::take(&mut f.world.users[user].roles);
            let team = f.team(SVC, "", false, &[user]);
            f.world.teams[team].roles = roles;
        }
        for (mode, expected) in table {
            f.world.users[user].mode = mode;
            let principal = f.world.user(user);
            let act = Privilege::Misc(MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER);
            let privileges = [
                Privilege::Table(ordinary, Right::Read),
                Privilege::Table(ordinary, Right::Write),
                Privilege::Table(administrative, Right::Read),
                Privilege::Table(administrative, Right::Write),
                act,
            ];
            let counted = privileges.map(|privilege| principal.possesses(privilege));
            assert_eq!(counted, expected, "{mode:?}");
            let granted = privileges.map(|privilege| principal.grants(privilege).count() > 0);
            assert_eq!(granted, expected, "grants in {mode:?}");
            let listed: Vec<Privilege> = principal.privileges().map(|(p, _)| p).collect();
            assert!(
                privileges
                    .into_iter()
                    .filter(|p| principal.possesses(*p))
                    .eq(listed)
            );
        }
    }
}

/// What users share through one compiler is neither their identity nor anything that changed.
#[test]
fn a_compiler_finds_nothing_stale() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:u]");
    let ben = f.user(SVC, "");
    f.world.users[ben].roles = f.world.users[ann].roles.clone();
    let before = f.world.clone();
    let mut compiler = PrincipalCompiler::new(|_| false);
    let read = Privilege::Table(TABLES[0].1.code, Right::Read);
    let write = Privilege::Table(TABLES[0].1.code, Right::Write);

    let roles = before.role_facts();
    let [of_ann, of_ben] = [ann, ben].map(|user| compiler.user(&before.user_facts(user, &roles)));
    let holders = [&of_ann, &of_ben].map(|user| user.grants(read).next().unwrap().holder);
    assert_eq!(
        holders,
        [ann, ben].map(|user| Owner::User(worlds::user_id(user)))
    );
    let rec = f.rec(ben);
    let facts = f
        .world
        .facts(worlds::record_id(rec), &f.world.records[rec], &[]);
    let tree = f.world.tree();
    let reads = [&of_ann, &of_ben].map(|user| {
        Caller::direct(user)
            .decide(&tree, Right::Read, &facts)
            .is_ok()
    });
    assert_eq!(reads, [false, true]);

    // The role is changed, and read from the directory again.
    f.world.roles[0].privileges = Fixture::privileges("account[W:u]");
    let roles = f.world.role_facts();
    let ann = compiler.user(&f.world.user_facts(ann, &roles));
    assert!(!ann.possesses(read) && ann.possesses(write));
    assert!(
        of_ann.possesses(read),
        "what was handed out does not change"
    );
}

/// AC-0: a team in a disabled business unit gives no grants, but its shares still count, and the
/// team's own grants, as owner of records, stay.
#[test]
fn a_team_of_a_disabled_unit_gives_no_roles() {
    let mut f = Fixture::new();
    let eve = f.user(SALES, "");
    let team = f.team(SVC, "account[R:l]", true, &[eve]);
    let read = Privilege::Table(TABLES[0].1.code, Right::Read);
    assert!(f.world.user(eve).possesses(read));
    assert!(!f.world.user(eve).has_no_roles());
    f.world.units[SVC].disabled = true;
    assert!(!f.world.user(eve).possesses(read));
    assert!(f.world.user(eve).has_no_roles());
    assert!(f.may_own(Who::Team(team)));
    f.give(eve, "account[R:u]");
    let ben = f.user(SVC, "");
    let rec = f.rec(ben);
    f.share(rec, Who::Team(team), AccessRights::READ);
    assert_eq!(f.ask(eve, Right::Read, rec), Ok(()));
}

/// A role that contains nothing is a role all the same (U-8).
#[test]
fn an_empty_role_is_a_role() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "");
    assert!(f.world.user(ann).has_no_roles());
    f.give(ann, "");
    assert!(!f.world.user(ann).has_no_roles());
    assert_eq!(f.world.user(ann).privileges().count(), 0);
}

/// nobody hands out what he does not hold; on behalf of another, what both hold.
#[test]
fn privileges_handed_out_must_be_held_by_both() {
    let mut f = Fixture::new();
    let svc = f.user(ROOT, "Delegate account[RW:u]");
    let ann = f.user(SALES, "account[RD:l]");
    let (svc, ann) = (f.world.user(svc), f.world.user(ann));
    let pair = Caller::on_behalf_of(&svc, &ann);
    let list = |notation| Fixture::privileges(notation).into_iter().map(|(p, _)| p);
    assert_eq!(pair.require_all(list("account[R:o]")), Ok(()));
    let refused = pair.require_all(list("account[RWD:u]")).unwrap_err();
    assert_eq!(
        (refused.side, refused.right),
        (PrincipalRole::Impersonated, Some(Right::Write))
    );
    let refused = pair.require_all(list("account[RD:u]")).unwrap_err();
    assert_eq!(
        (refused.side, refused.right),
        (PrincipalRole::Impersonator, Some(Right::Delete))
    );
}

/// §5, in its words and order.
#[test]
fn operations_ask_what_the_specification_lists() {
    let letters = |rights: &[Right]| {
        rights
            .iter()
            .map(|right| right.letter())
            .collect::<String>()
    };
    let table = [
        (requirements::CREATE, "C"),
        (requirements::RETRIEVE, "R"),
        (requirements::UPDATE, "W"),
        (requirements::DELETE, "D"),
        (requirements::ASSIGN, "GWR"),
        (requirements::SHARE, "SR"),
        (requirements::CASCADED_SHARE, "S"),
        (requirements::READ_ACCESS, "R"),
        (requirements::APPEND, "P"),
        (requirements::APPEND_TO, "TR"),
        (requirements::ASSOCIATE, "P"),
        (requirements::GIVE_ROLE, "GR"),
        (requirements::RECEIVE_ROLE, "W"),
        (requirements::CHANGE_MEMBERS, "W"),
        (requirements::BECOME_MEMBER, "R"),
        (requirements::CHANGE_ROLE, "W"),
        (requirements::READ_PRIVILEGES, "R"),
    ];
    for (rights, expected) in table {
        assert_eq!(letters(rights), expected);
    }
}

/// A refusal can be read, and names no more than the caller may know.
#[test]
fn refusals_read_well() {
    let mut f = Fixture::new();
    let ann = f.user(SALES, "account[R:u]");
    let ben = f.user(SALES, "");
    let rec = f.rec(ben);
    let (who, what) = (worlds::user_id(ann), worlds::record_id(rec));
    let denial = f.ask_all(ann, &[Right::Read], rec).unwrap_err();
    assert_eq!(
        denial.to_string(),
        format!(
            "the caller {who} holds the privilege Read on table 1 at depth Basic, \
             which does not reach the record {what}; depth Local would"
        )
    );
    let denial = f.ask_all(ann, &[Right::Write], rec).unwrap_err();
    assert_eq!(
        denial.to_string(),
        format!("the caller {who} lacks the privilege Write on table 1")
    );
    let denial = authorize_impersonation(&f.world.user(ann)).unwrap_err();
    assert_eq!(
        denial.to_string(),
        format!("the impersonator {who} lacks the privilege prvActOnBehalfOfAnotherUser")
    );
}

/// The tree against walking up the parents, on trees of every shape: broad, tall and in between.
#[test]
fn subtrees_are_what_walking_up_finds() {
    let mut rng = Rng::with_seed(worlds::seed("tree"));
    for _ in 0..300 {
        let count = rng.usize(1..60);
        let tall = rng.usize(1..10);
        let units = (0..count)
            .map(|place| Unit {
                // The first two are roots: a damaged table must not break the rest.
                parent: (place > 1).then(|| rng.usize(place.saturating_sub(tall)..place)),
                disabled: false,
            })
            .collect();
        let world = World {
            units,
            ..World::default()
        };
        let tree = world.tree();
        assert_eq!(tree.units().len(), count);
        for anchor in 0..count {
            let below: Vec<usize> = (0..count)
                .filter(|unit| crate::reference::in_subtree(&world, anchor, *unit))
                .collect();
            for unit in 0..count {
                let expected = below.contains(&unit);
                assert_eq!(tree.contains(unit_id(anchor), unit_id(unit)), expected);
                assert_eq!(tree.would_loop(unit_id(anchor), unit_id(unit)), expected);
            }
            let mut subtree = tree.subtree(unit_id(anchor)).to_vec();
            assert_eq!(subtree[0], unit_id(anchor));
            subtree.sort_unstable();
            let mut expected: Vec<_> = below.into_iter().map(unit_id).collect();
            expected.sort_unstable();
            assert_eq!(subtree, expected);
            assert_eq!(
                tree.parent(unit_id(anchor)),
                world.units[anchor].parent.map(unit_id)
            );
            let mut ancestors = Vec::new();
            let mut at = world.units[anchor].parent;
            while let Some(parent) = at {
                ancestors.push(unit_id(parent));
                at = world.units[parent].parent;
            }
            assert!(tree.ancestors(unit_id(anchor)).eq(ancestors));
        }
    }
}

/// A reach with many anchors in a flat tree and with few in a tall one takes different ways.
#[test]
fn many_deep_anchors_reach_what_each_of_them_reaches() {
    let mut rng = Rng::with_seed(worlds::seed("anchors"));
    for tall in [1, 2, 30] {
        let mut f = Fixture::new();
        f.world.units = (0..60_usize)
            .map(|place| Unit {
                parent: (place > 0).then(|| rng.usize(place.saturating_sub(tall)..place)),
                disabled: false,
            })
            .collect();
        for anchors in [1, 2, 5, 20, 50] {
            let eve = f.user(0, "account[R:u]");
            for _ in 0..anchors {
                f.team(rng.usize(..60), "account[R:d]", false, &[eve]);
            }
            for unit in 0..60 {
                let owner = f.user(unit, "");
                let rec = f.rec(owner);
                // Compared with the reference inside.
                let _ = f.ask(eve, Right::Read, rec);
            }
        }
    }
}

/// BU-3, and damaged data: units on a loop are in no subtree, not even their own, and so is
/// whatever hangs below them.
#[test]
fn loops_are_refused_and_reach_nothing() {
    let [a, b, c, d, lost] = [1, 2, 3, 4, 5].map(|n| BusinessUnitId(Uuid::from_u128(n)));
    let sound = BusinessUnitTree::new([(a, None), (b, Some(a)), (c, Some(b))].into_iter());
    assert!(sound.would_loop(a, c) && sound.would_loop(b, c) && sound.would_loop(b, b));
    assert!(!sound.would_loop(c, a) && !sound.would_loop(c, b) && !sound.would_loop(b, a));

    let units = [
        (a, None),
        (b, Some(c)),
        (c, Some(b)),
        (d, Some(c)),
        (lost, Some(lost)),
    ];
    let damaged = BusinessUnitTree::new(units.into_iter());
    assert_eq!(damaged.units(), [a]);
    for unit in [b, c, d, lost] {
        assert!(!damaged.knows(unit));
        assert!(!damaged.contains(unit, unit) && !damaged.contains(a, unit));
        assert!(damaged.subtree(unit).is_empty());
        assert_eq!(damaged.parent(unit), None);
    }

    // A parent that does not exist makes a root, so the rest of the tree stays usable.
    let orphan = BusinessUnitTree::new([(a, None), (b, Some(lost)), (c, Some(b))].into_iter());
    assert!(orphan.contains(b, c) && !orphan.contains(a, c) && !orphan.contains(lost, c));
}

/// Shares are read only if ownership and depth do not suffice, and once for all rights.
#[test]
fn shares_are_loaded_when_they_can_decide() {
    let mut f = Fixture::new();
    let eve = f.user(SALES, "account[CRWD:u] x_rate[R:o]");
    let ben = f.user(SALES, "");
    let (own, other) = (f.rec(eve), f.rec(ben));
    let principal = f.world.user(eve);
    let caller = Caller::direct(&principal);
    let tree = f.world.tree();
    let share = [Share {
        principal: SharePrincipal::User(worlds::user_id(eve)),
        rights: AccessRights::READ | AccessRights::WRITE,
    }];
    let ask = |record: usize, rights: &[Right]| {
        let facts = f
            .world
            .facts(worlds::record_id(record), &f.world.records[record], &[]);
        let mut loads = 0;
        let decided = caller.access_loading_shares(&tree, rights, &facts, || {
            loads += 1;
            Ok::<_, Denial>(share)
        });
        (decided.is_ok(), loads)
    };
    assert_eq!(ask(own, &[Right::Read, Right::Write]), (true, 0));
    assert_eq!(ask(other, &[Right::Read, Right::Write]), (true, 1));
    assert_eq!(
        ask(other, &[Right::Create]),
        (false, 0),
        "no share lets one create"
    );
    assert_eq!(
        ask(other, &[Right::Assign]),
        (false, 0),
        "not even possessed"
    );
    assert_eq!(
        ask(other, &[Right::Read, Right::Delete]),
        (false, 1),
        "shared to read only"
    );
    assert_eq!(ask(other, &[Right::Delete, Right::Read]), (false, 1));

    let facts = f
        .world
        .facts(worlds::record_id(other), &f.world.records[other], &[]);
    let failed = caller.access_loading_shares(&tree, &[Right::Read], &facts, || {
        Err::<Vec<Share>, _>(LoadError::Store)
    });
    assert_eq!(failed, Err(LoadError::Store));
}

#[derive(PartialEq, Debug)]
enum LoadError {
    Store,
    Denied(Denial),
}

impl From<Denial> for LoadError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}
