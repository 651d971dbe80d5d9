//! The privilege matrices as text. Pure: from the answer of the server to lines.

use std::fmt::Write as _;

use orgservice_client::{AccessExplanation, PrivilegeDepth, PrivilegeMatrix, PrivilegeMatrixRow};

use super::People;

/// How depths are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Glyphs {
    ascii: bool,
}

impl Glyphs {
    /// Circles that fill, or letters.
    pub fn new(ascii: bool) -> Self {
        Self { ascii }
    }

    /// One character for a depth; the letters are those of the specification.
    pub fn depth(self, depth: Option<PrivilegeDepth>) -> char {
        let (circle, letter) = match depth {
            None => ('○', '-'),
            Some(PrivilegeDepth::Basic) => ('◔', 'u'),
            Some(PrivilegeDepth::Local) => ('◑', 'l'),
            Some(PrivilegeDepth::Deep) => ('◕', 'd'),
            Some(PrivilegeDepth::Global) => ('●', 'o'),
            // A depth that a newer server knows.
            Some(_) => ('?', '?'),
        };
        if self.ascii { letter } else { circle }
    }

    /// Whether something is met.
    pub fn is_met(self, met: bool) -> char {
        match (met, self.ascii) {
            (true, false) => '✓',
            (false, false) => '✗',
            (true, true) => '+',
            (false, true) => 'x',
        }
    }

    fn legend(self) -> String {
        let depths = [
            None,
            Some(PrivilegeDepth::Basic),
            Some(PrivilegeDepth::Local),
            Some(PrivilegeDepth::Deep),
            Some(PrivilegeDepth::Global),
        ];
        let depths = depths.map(|depth| {
            let name = depth.map_or_else(|| "none".to_owned(), |depth| depth.to_string());
            format!("{} {name}", self.depth(depth))
        });
        format!(
            "{}\n\
             C Create  R Read  W Write  D Delete  P Append  T AppendTo  G Assign  S Share\n",
            depths.join("  ")
        )
    }
}

/// The letters of the rights, in the order of the columns.
const LETTERS: &str = "C R W D P T G S";

/// Between two matrices.
const GAP: &str = "   ";

fn depths(row: &PrivilegeMatrixRow) -> [Option<PrivilegeDepth>; 8] {
    [
        row.create,
        row.read,
        row.write,
        row.delete,
        row.append,
        row.append_to,
        row.assign,
        row.share,
    ]
}

/// Who it is about, the matrices side by side, and what the signs mean.
pub fn render(explanation: &AccessExplanation, people: &People, glyphs: Glyphs) -> String {
    let mut columns = Vec::new();
    let mut text = String::new();
    match (&people.impersonated, &explanation.impersonated) {
        (Some(impersonated), Some(matrix)) => {
            let _ = writeln!(text, "A  authenticated user  {}", people.authenticated);
            let _ = writeln!(text, "B  impersonated user   {impersonated}");
            columns.push(("authenticated (A)", explanation.authenticated.as_ref()));
            columns.push(("impersonated (B)", Some(matrix)));
            columns.push(("effective", explanation.effective.as_ref()));
        }
        // Without impersonation the user's own matrix is the effective one.
        _ => {
            let _ = writeln!(text, "authenticated user  {}", people.authenticated);
            let own = explanation
                .effective
                .as_ref()
                .or(explanation.authenticated.as_ref());
            columns.push(("effective", own));
        }
    }
    text.push('\n');
    text.push_str(&grid(&columns, glyphs));
    text.push_str(&other_privileges(explanation));
    text.push('\n');
    text.push_str(&glyphs.legend());
    text
}

fn grid(columns: &[(&str, Option<&PrivilegeMatrix>)], glyphs: Glyphs) -> String {
    let mut tables: Vec<&str> = Vec::new();
    for row in columns.iter().flat_map(|(_, matrix)| rows(*matrix)) {
        if !tables.contains(&row.table_name.as_str()) {
            tables.push(&row.table_name);
        }
    }
    let first = tables.iter().map(|table| table.len()).max().unwrap_or(0);
    let width = |title: &str| title.len().max(LETTERS.len());
    let mut text = String::new();
    let mut line = |name: &str, cells: Vec<String>| {
        let line = format!("{name:<first$}{GAP}{}", cells.join(GAP));
        let _ = writeln!(text, "{}", line.trim_end());
    };
    let padded = |title: &str, cell: &str| format!("{cell:<width$}", width = width(title));
    line(
        "",
        columns
            .iter()
            .map(|(title, _)| padded(title, title))
            .collect(),
    );
    line(
        "",
        columns
            .iter()
            .map(|(title, _)| padded(title, LETTERS))
            .collect(),
    );
    for table in tables {
        let cells = columns.iter().map(|(title, matrix)| {
            let row = rows(*matrix).find(|row| row.table_name == table);
            let depths = row.map(depths).unwrap_or_default();
            let cell: Vec<_> = depths
                .iter()
                .map(|depth| glyphs.depth(*depth).to_string())
                .collect();
            padded(title, &cell.join(" "))
        });
        line(table, cells.collect());
    }
    text
}

fn rows(matrix: Option<&PrivilegeMatrix>) -> impl Iterator<Item = &PrivilegeMatrixRow> {
    matrix.into_iter().flat_map(|matrix| &matrix.rows)
}

/// Possessed privileges that belong to no table; one line for each side that has some.
fn other_privileges(explanation: &AccessExplanation) -> String {
    let sides = match &explanation.impersonated {
        Some(impersonated) => vec![
            ("A", explanation.authenticated.as_ref()),
            ("B", Some(impersonated)),
            ("effective", explanation.effective.as_ref()),
        ],
        None => vec![("", explanation.authenticated.as_ref())],
    };
    let mut text = String::new();
    for (side, matrix) in sides {
        let privileges = matrix.map_or(&[][..], |matrix| &matrix.other_privileges);
        if !privileges.is_empty() {
            let side = if side.is_empty() {
                "of no table".to_owned()
            } else {
                format!("of no table, {side}")
            };
            let _ = writeln!(text, "{side}: {}", privileges.join(", "));
        }
    }
    if text.is_empty() {
        text
    } else {
        format!("\n{text}")
    }
}

/// The depth at which a matrix holds a privilege; `None` where it cannot be told.
pub fn held(
    matrix: Option<&PrivilegeMatrix>,
    table: &str,
    right: &str,
) -> Option<Option<PrivilegeDepth>> {
    let row = rows(matrix).find(|row| row.table_name == table)?;
    let index = [
        "Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share",
    ]
    .iter()
    .position(|name| *name == right)?;
    Some(depths(row)[index])
}

#[cfg(test)]
pub mod tests {
    //! The three examples of `security.md` 13.1, exactly.

    use super::*;

    /// `lll-ll--` in the order of [`LETTERS`].
    pub fn matrix(rows: &[(&str, &str)]) -> PrivilegeMatrix {
        let depth = |letters: &str, index: usize| match letters.as_bytes()[index] {
            b'u' => Some(PrivilegeDepth::Basic),
            b'l' => Some(PrivilegeDepth::Local),
            b'd' => Some(PrivilegeDepth::Deep),
            b'o' => Some(PrivilegeDepth::Global),
            _ => None,
        };
        PrivilegeMatrix {
            user_id: None,
            rows: rows
                .iter()
                .map(|(table, letters)| PrivilegeMatrixRow {
                    table_name: (*table).to_owned(),
                    create: depth(letters, 0),
                    read: depth(letters, 1),
                    write: depth(letters, 2),
                    delete: depth(letters, 3),
                    append: depth(letters, 4),
                    append_to: depth(letters, 5),
                    assign: depth(letters, 6),
                    share: depth(letters, 7),
                })
                .collect(),
            other_privileges: Vec::new(),
        }
    }

    /// Matrices of A, B and the effective one, for account and contact alike.
    pub fn example(a: &str, b: &str, effective: &str) -> AccessExplanation {
        let alike = |letters| matrix(&[("account", letters), ("contact", letters)]);
        AccessExplanation {
            allowed: true,
            fault: None,
            requirements: Vec::new(),
            record_scope: None,
            authenticated: Some(alike(a)),
            impersonated: Some(alike(b)),
            effective: Some(alike(effective)),
        }
    }

    pub fn people() -> People {
        People {
            authenticated: "Northwind Integration".to_owned(),
            impersonated: Some("Nancy Davolio".to_owned()),
        }
    }

    fn drawn(explanation: &AccessExplanation, ascii: bool) -> String {
        render(explanation, &people(), Glyphs::new(ascii))
    }

    #[test]
    fn example_1_no_privilege_is_gained() {
        let example = example("lll-ll--", "llllllll", "lll-ll--");
        insta::assert_snapshot!(drawn(&example, false), @r"
        A  authenticated user  Northwind Integration
        B  impersonated user   Nancy Davolio

                  authenticated (A)   impersonated (B)   effective
                  C R W D P T G S     C R W D P T G S    C R W D P T G S
        account   ◑ ◑ ◑ ○ ◑ ◑ ○ ○     ◑ ◑ ◑ ◑ ◑ ◑ ◑ ◑    ◑ ◑ ◑ ○ ◑ ◑ ○ ○
        contact   ◑ ◑ ◑ ○ ◑ ◑ ○ ○     ◑ ◑ ◑ ◑ ◑ ◑ ◑ ◑    ◑ ◑ ◑ ○ ◑ ◑ ○ ○

        ○ none  ◔ Basic  ◑ Local  ◕ Deep  ● Global
        C Create  R Read  W Write  D Delete  P Append  T AppendTo  G Assign  S Share
        ");
        insta::assert_snapshot!(drawn(&example, true), @r"
        A  authenticated user  Northwind Integration
        B  impersonated user   Nancy Davolio

                  authenticated (A)   impersonated (B)   effective
                  C R W D P T G S     C R W D P T G S    C R W D P T G S
        account   l l l - l l - -     l l l l l l l l    l l l - l l - -
        contact   l l l - l l - -     l l l l l l l l    l l l - l l - -

        - none  u Basic  l Local  d Deep  o Global
        C Create  R Read  W Write  D Delete  P Append  T AppendTo  G Assign  S Share
        ");
    }

    #[test]
    fn example_2_the_level_is_elevated() {
        let example = example("lll-ll--", "oooooooo", "ooo-oo--");
        insta::assert_snapshot!(drawn(&example, false), @r"
        A  authenticated user  Northwind Integration
        B  impersonated user   Nancy Davolio

                  authenticated (A)   impersonated (B)   effective
                  C R W D P T G S     C R W D P T G S    C R W D P T G S
        account   ◑ ◑ ◑ ○ ◑ ◑ ○ ○     ● ● ● ● ● ● ● ●    ● ● ● ○ ● ● ○ ○
        contact   ◑ ◑ ◑ ○ ◑ ◑ ○ ○     ● ● ● ● ● ● ● ●    ● ● ● ○ ● ● ○ ○

        ○ none  ◔ Basic  ◑ Local  ◕ Deep  ● Global
        C Create  R Read  W Write  D Delete  P Append  T AppendTo  G Assign  S Share
        ");
        insta::assert_snapshot!(drawn(&example, true), @r"
        A  authenticated user  Northwind Integration
        B  impersonated user   Nancy Davolio

                  authenticated (A)   impersonated (B)   effective
                  C R W D P T G S     C R W D P T G S    C R W D P T G S
        account   l l l - l l - -     o o o o o o o o    o o o - o o - -
        contact   l l l - l l - -     o o o o o o o o    o o o - o o - -

        - none  u Basic  l Local  d Deep  o Global
        C Create  R Read  W Write  D Delete  P Append  T AppendTo  G Assign  S Share
        ");
    }

    #[test]
    fn example_3_the_level_is_reduced() {
        let example = example("ooo-oo--", "llllllll", "lll-ll--");
        insta::assert_snapshot!(drawn(&example, false), @r"
        A  authenticated user  Northwind Integration
        B  impersonated user   Nancy Davolio

                  authenticated (A)   impersonated (B)   effective
                  C R W D P T G S     C R W D P T G S    C R W D P T G S
        account   ● ● ● ○ ● ● ○ ○     ◑ ◑ ◑ ◑ ◑ ◑ ◑ ◑    ◑ ◑ ◑ ○ ◑ ◑ ○ ○
        contact   ● ● ● ○ ● ● ○ ○     ◑ ◑ ◑ ◑ ◑ ◑ ◑ ◑    ◑ ◑ ◑ ○ ◑ ◑ ○ ○

        ○ none  ◔ Basic  ◑ Local  ◕ Deep  ● Global
        C Create  R Read  W Write  D Delete  P Append  T AppendTo  G Assign  S Share
        ");
        insta::assert_snapshot!(drawn(&example, true), @r"
        A  authenticated user  Northwind Integration
        B  impersonated user   Nancy Davolio

                  authenticated (A)   impersonated (B)   effective
                  C R W D P T G S     C R W D P T G S    C R W D P T G S
        account   o o o - o o - -     l l l l l l l l    l l l - l l - -
        contact   o o o - o o - -     l l l l l l l l    l l l - l l - -

        - none  u Basic  l Local  d Deep  o Global
        C Create  R Read  W Write  D Delete  P Append  T AppendTo  G Assign  S Share
        ");
    }

    #[test]
    fn without_impersonation_there_is_one_matrix() {
        let mut explanation = example("udlo----", "--------", "--------");
        explanation.impersonated = None;
        explanation.effective.clone_from(&explanation.authenticated);
        if let Some(matrix) = &mut explanation.authenticated {
            matrix.other_privileges = vec!["prvActOnBehalfOfAnotherUser".to_owned()];
        }
        let people = People {
            authenticated: "Nancy Davolio".to_owned(),
            impersonated: None,
        };
        insta::assert_snapshot!(render(&explanation, &people, Glyphs::new(false)), @r"
        authenticated user  Nancy Davolio

                  effective
                  C R W D P T G S
        account   ◔ ◕ ◑ ● ○ ○ ○ ○
        contact   ◔ ◕ ◑ ● ○ ○ ○ ○

        of no table: prvActOnBehalfOfAnotherUser

        ○ none  ◔ Basic  ◑ Local  ◕ Deep  ● Global
        C Create  R Read  W Write  D Delete  P Append  T AppendTo  G Assign  S Share
        ");
    }

    #[test]
    fn tables_of_different_users_need_not_be_the_same() {
        let mut explanation = example("uuuuuuuu", "uuuuuuuu", "uuuuuuuu");
        explanation.impersonated = Some(matrix(&[("task", "oooooooo")]));
        let text = drawn(&explanation, true);
        assert!(
            text.contains("\ntask      - - - - - - - -     o o o o o o o o"),
            "{text}"
        );
    }
}
