//! What `#[derive(Entity)]` says when it is used in a way that cannot work.

#[test]
fn misuse_is_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
