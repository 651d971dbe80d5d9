//! Every case of delegation, not a sample: what A holds and B holds, where the record lies seen
//! from each, what is shared with each, how A came by the privilege to impersonate, and for which
//! table and right; each judged by the crate and by the reference.

use orgservice_security::*;

use crate::properties::outcome;
use crate::reference::{
    self, Authenticated, Outcome, Record, Sharee, Team, Unit, User, Who, World,
};
use crate::worlds::{record_id, unit_id};

/// Where a record lies, seen from a user.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Relation {
    /// Owned by the user, in his own unit.
    Own,
    /// Owned by the user, but in another unit (ownership across business units).
    OwnElsewhere,
    /// Owned by a team of the user, who is in another unit.
    OfTeam,
    /// Another's, in the user's unit.
    SameUnit,
    /// Another's, in a unit below.
    UnitBelow,
    /// Another's, in the unit above.
    UnitAbove,
    /// Another's, in a unit on another branch.
    Elsewhere,
}

const RELATIONS: [Relation; 7] = [
    Relation::Own,
    Relation::OwnElsewhere,
    Relation::OfTeam,
    Relation::SameUnit,
    Relation::UnitBelow,
    Relation::UnitAbove,
    Relation::Elsewhere,
];

impl Relation {
    fn owns(self) -> bool {
        matches!(self, Self::Own | Self::OwnElsewhere)
    }

    /// The unit of a user for whom the record, in [`MIDDLE`], lies so.
    fn unit_of_user(self) -> usize {
        match self {
            Self::Own | Self::SameUnit => MIDDLE,
            Self::UnitBelow => TOP,
            Self::UnitAbove => BOTTOM,
            Self::OwnElsewhere | Self::OfTeam | Self::Elsewhere => ASIDE,
        }
    }

    /// One record has one owner.
    fn possible_with(self, other: Self) -> bool {
        !(self.owns() && (other.owns() || other == Self::OfTeam)
            || self == Self::OfTeam && other.owns())
    }
}

const TOP: usize = 1;
const MIDDLE: usize = 2;
const BOTTOM: usize = 3;
const ASIDE: usize = 4;

/// How B came by a share.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Shared {
    No,
    Directly,
    WithTeam,
}

/// How A came by prvActOnBehalfOfAnotherUser.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Delegate {
    No,
    ThroughTeam,
    Directly,
}

const A: usize = 0;
const B: usize = 1;
const OTHER: usize = 2;

#[derive(Clone, Copy, Debug)]
struct Case {
    table: TableFacts,
    right: Right,
    depth_a: Option<PrivilegeDepth>,
    depth_b: Option<PrivilegeDepth>,
    relation_a: Relation,
    relation_b: Relation,
    shared_a: bool,
    shared_b: Shared,
    delegate: Delegate,
}

fn tables() -> [TableFacts; 3] {
    [
        TableFacts::new(ObjectTypeCode(1), TableOwnership::UserOwned),
        TableFacts::new(ObjectTypeCode(2), TableOwnership::BusinessOwned),
        TableFacts::new(ObjectTypeCode(3), TableOwnership::OrganizationOwned),
    ]
}

fn for_every_case(mut check: impl FnMut(Case)) {
    for table in tables() {
        for right in table.privileges() {
            let held: Vec<Option<PrivilegeDepth>> = std::iter::once(None)
                .chain(table.depths(right).iter().map(|depth| Some(*depth)))
                .collect();
            for &depth_a in &held {
                for &depth_b in &held {
                    for relation_a in RELATIONS {
                        for relation_b in RELATIONS {
                            if !relation_a.possible_with(relation_b) {
                                continue;
                            }
                            for shared_a in [false, true] {
                                for shared_b in [Shared::No, Shared::Directly, Shared::WithTeam] {
                                    for delegate in
                                        [Delegate::No, Delegate::ThroughTeam, Delegate::Directly]
                                    {
                                        check(Case {
                                            table,
                                            right,
                                            depth_a,
                                            depth_b,
                                            relation_a,
                                            relation_b,
                                            shared_a,
                                            shared_b,
                                            delegate,
                                        });
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The organization of a case: TOP over MIDDLE over BOTTOM, ASIDE beside them, the record in
/// MIDDLE.
fn world(case: Case) -> World {
    let parents = [None, Some(0), Some(TOP), Some(MIDDLE), Some(0)];
    let units = parents.map(|parent| Unit {
        parent,
        disabled: false,
    });
    let mut world = World {
        units: units.into(),
        tables: vec![case.table],
        ..World::default()
    };
    let user = |relation: Relation| User {
        unit: relation.unit_of_user(),
        mode: AccessMode::ReadWrite,
        roles: vec![],
        teams: vec![],
    };
    world.users = vec![
        user(case.relation_a),
        user(case.relation_b),
        user(Relation::SameUnit),
    ];

    let privilege = Privilege::Table(case.table.code, case.right);
    for (user, depth) in [(A, case.depth_a), (B, case.depth_b)] {
        let unit = world.users[user].unit;
        let role = world.add_role(
            unit,
            true,
            depth.map(|depth| (privilege, depth)).into_iter().collect(),
        );
        world.users[user].roles.push(role);
    }

    let team = |world: &mut World, members: &[usize], roles: Vec<usize>| {
        world.teams.push(Team {
            unit: MIDDLE,
            holds_roles: true,
            roles,
        });
        for member in members {
            world.users[*member].teams.push(world.teams.len() - 1);
        }
        Who::Team(world.teams.len() - 1)
    };
    let mut record = Record {
        table: 0,
        owner: None,
        unit: None,
        shares: vec![],
    };
    if case.table.ownership != TableOwnership::OrganizationOwned {
        record.unit = Some(MIDDLE);
    }
    if case.table.ownership == TableOwnership::UserOwned {
        let of_team = |relation| relation == Relation::OfTeam;
        let members: Vec<usize> = [(A, case.relation_a), (B, case.relation_b)]
            .into_iter()
            .filter(|(_, relation)| of_team(*relation))
            .map(|(user, _)| user)
            .collect();
        record.owner = Some(match () {
            () if case.relation_a.owns() => Who::User(A),
            () if case.relation_b.owns() => Who::User(B),
            () if members.is_empty() => Who::User(OTHER),
            () => team(&mut world, &members, vec![]),
        });
    }
    // On tables without sharing the rows are there all the same and must not matter.
    if case.shared_a {
        record
            .shares
            .push((Sharee::Who(Who::User(A)), case.right.flag()));
    }
    match case.shared_b {
        Shared::No => {}
        Shared::Directly => record
            .shares
            .push((Sharee::Who(Who::User(B)), case.right.flag())),
        Shared::WithTeam => {
            let with = team(&mut world, &[B], vec![]);
            record.shares.push((Sharee::Who(with), case.right.flag()));
        }
    }
    let act = Privilege::Misc(MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER);
    let delegate = vec![(act, PrivilegeDepth::Global)];
    match case.delegate {
        Delegate::No => {}
        Delegate::Directly => {
            let role = world.add_role(world.users[A].unit, true, delegate);
            world.users[A].roles.push(role);
        }
        Delegate::ThroughTeam => {
            let role = world.add_role(MIDDLE, true, delegate);
            team(&mut world, &[A], vec![role]);
        }
    }
    world.records.push(record);
    world
}

#[test]
fn every_case_of_delegation() {
    let (mut cases, mut allowed, mut unreachable) = (0_u32, 0_u32, 0_u32);
    for_every_case(|case| {
        let world = world(case);
        let record = &world.records[0];
        let expected: Outcome = if reference::may_act_on_behalf(&world, A) {
            reference::allow(
                &world,
                Authenticated::Other(A),
                Who::User(B),
                case.right,
                record,
            )
        } else {
            Err((DenialKind::PrivilegeDenied, PrincipalRole::Impersonator))
        };

        let tree = world.tree();
        let (a, b) = (world.user(A), world.user(B));
        let shares = world.shares(record);
        let facts = world.facts(record_id(0), record, &shares);
        let pair = Caller::on_behalf_of(&a, &b);
        let decided =
            authorize_impersonation(&a).and_then(|()| pair.decide(&tree, case.right, &facts));
        assert_eq!(outcome(decided), expected, "{case:?}");

        let scope = pair.record_scope(&tree, facts.table, case.right);
        let row = authorize_impersonation(&a)
            .and(scope)
            .is_ok_and(|scope| scope.admits(&facts));
        assert_eq!(row, expected.is_ok(), "scope in {case:?}");
        if case.delegate == Delegate::Directly {
            let explained = pair.explain(&tree, case.right, &facts);
            assert_eq!(
                explained.granted,
                expected.is_ok(),
                "{explained:?} in {case:?}"
            );
        }

        cases += 1;
        allowed += u32::from(expected.is_ok());
        unreachable += u32::from(matches!(expected, Err((DenialKind::AccessDenied, _))));
    });
    // 41 pairs of relations are possible, 18 ways to share and to be a delegate. Times the depths
    // of A and B, absence included, times the rights: 5 * 5 * 8 on user-owned, 4 * 4 * 6 on
    // business-owned and 2 * 2 * 6 on organization-owned tables.
    assert_eq!(cases, 41 * 18 * (5 * 5 * 8 + 4 * 4 * 6 + 2 * 2 * 6));
    assert_eq!(cases, 236_160);
    assert!(allowed > 30_000, "{allowed} allowed");
    assert!(unreachable > 10_000, "{unreachable} out of reach");
}

/// The one tree all cases stand in.
#[test]
fn the_units_lie_as_the_relations_say() {
    let case = Case {
        table: tables()[0],
        right: Right::Read,
        depth_a: None,
        depth_b: None,
        relation_a: Relation::Elsewhere,
        relation_b: Relation::Elsewhere,
        shared_a: false,
        shared_b: Shared::No,
        delegate: Delegate::No,
    };
    let tree = world(case).tree();
    let below = |unit| tree.contains(unit_id(unit), unit_id(MIDDLE));
    assert_eq!(
        [TOP, MIDDLE, BOTTOM, ASIDE].map(below),
        [true, true, false, false]
    );
}
